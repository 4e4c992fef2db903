_start:
        addd    r1, r1, 1
        jump    nowhere
