"""A song as a page to look at: waveform, spectrogram, notes with the pitch that was sung, phones.

    assembly + results ─► reading ─► Sheet ─► page (systems, lanes, spectrogram) ─► Scene ─► painter ─► PNG

Everything up to the scene is pure: what stands where is a value that tests can ask. The painter alone knows a
drawing library.
"""
