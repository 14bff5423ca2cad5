"""Projects: a song with what was done to it, in one file. See the README of the folder above."""
