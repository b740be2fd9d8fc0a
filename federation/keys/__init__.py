"""A site's own keys: files that only its user can read, and a ring that says what each of them is for at present.

    prepared    made, known to nobody else
    published   in our metadata; an encryption key opens messages from now on
    seen        published, and every partner is known to have read metadata with it
    in use      signs; or is the encryption key that partners find first
    retired     gone: its file is deleted and it is never loaded again

A key that another one took over from stays published until it is retired: a signing key in the metadata, so that what
it signed still verifies; an encryption key outside it, so that what is on its way still opens.
"""
