"""The experiments that motivate Andon: traps of ``def`` and ``async def``, each as a file."""
