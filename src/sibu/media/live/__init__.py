"""Live capture: sound, pictures and readings as they arrive, in the form that readers of files have.

``streams`` is where the bytes come from (a pipe, a socket, a microphone, a camera), ``cuts`` makes records of them,
``holding`` keeps few of them in memory where the reader is slower than the world, and ``capture`` puts these together:
``partial(live_sound, rate=16000, seconds=1.0)`` is a ``Reader``.
"""
