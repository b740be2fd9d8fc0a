"""Single logout (SAML Profiles 4.4): whoever asks for it, sessions end here first, and then every site is told.

requests    a site's LogoutRequest is accepted, and what it names ends
runs        what there is to do, kept in the database: one step for each site
chain       what comes next: a site to go to, or the end with its answer
contact     sites that are told directly, and whether those that the browser goes to can be reached at all
responses   a site's LogoutResponse is accepted, once
ending      sessions end though no browser is at hand: an administrator, a suspension, a new password
"""
