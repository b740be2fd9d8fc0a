"""Every page in every look: nobody is kept out, nothing is cut off, and the pictures are there to be looked at."""

from __future__ import annotations
