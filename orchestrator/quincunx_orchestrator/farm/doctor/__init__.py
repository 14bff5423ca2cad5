"""Looks at everything a farm needs, and names what is wrong: `examine`.

here     this machine: packages, disk, files of secrets
broker   Redis: there, allowed, keeps what it is given, tells the same time
store    the store: there, a bucket, allowed
crew     coordinators and workers: there, of one version, work in somebody's hands
"""
