"""Provisioning: what the outbox recorded becomes accounts and groups at every partner, by SCIM.

documents            what an account should hold; differences as PATCH operations         (pure)
outcomes             what an answer means, and when to try again                           (pure)
subjects             may a person be served, what may be told: the same rules as for the assertion
fanout               from recorded changes to the people each connection looks at again
lease                one writer for each connection, fenced; its health
accounts, groups     plan, intent, and what became of it
channel, groupwork   client, transactions under the lease and log of one run; sending group changes
run                  one run for one connection
service              what the worker, the commands and the pages call
journal              the log
"""
