"""What is in files of pictures, sound, readings and video, as numpy arrays; and the same from live streams.

Every decoder takes a file's name, a path or the bytes themselves, and refuses with a ``DataError`` what it cannot read
whole. No torch anywhere; Pillow, soundfile, soxr and PyAV are imported where they are used.
"""
