; Writes to one of six pages after the other; the same value again and again, with pauses between.
.equ PAGE, 65536
_start:
        imm     r1, 40                  ; r1: rounds left
        imm     r9, 7
round:
        shri_u  r2, r1, 3               ; r2: the page of this round, 5 to 0
        shli    r2, r2, 16
        addi    r2, r2, pages
        st64    r2, r9
        andi    r4, r1, 4
        st64    r2, r4, 8
        imm     r5, 20
pause:  addi    r5, r5, -1
        bnei    r5, 0, pause
        addi    r1, r1, -1
        bnei    r1, 0, round
        halt

.bss
pages:  .zero   (* 6 PAGE)
