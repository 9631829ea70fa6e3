"""What should run, decided from objects without touching the machine: pods, their containers, the
Services before them."""
