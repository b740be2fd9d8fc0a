"""Where partners' metadata comes from, which of it is live, and who decided that: the same for both apps.

    source      a file, a URL or a Metadata Query responder, with trust, limits and health of its own
    entity      one member of a federation's source: verified, and usable without a connection or a review
    version     one document of a connection's partner: waiting, scheduled, live, superseded or rejected

An app has tables of its own, made of the mixins in `columns`, and is known here as a `Host`. Nothing else ever changes
whom an app trusts.
"""
