"""Sets of phoneme names that transcripts are written in, and what a voice sings for each of their phones.

A set is a table: its phone → ways to sing it, best first. A way is one phone of a voice, or several with spaces between
that share the time. The first way whose phones the voice has is taken, so a voice with a set's own phones
(`zh/ang`) sings those, and one without them its nearest. Rows with a reason beside them are doubtful: the sound is
missing and something near it stands in.
"""
