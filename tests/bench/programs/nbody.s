; The sun and the large planets for 3,000,000 steps: floating point on structures in memory.
.equ BODIES, 5
.equ BODY, 56                           ; bytes: x, y, z, velocity in x, y, z, mass
.equ STEPS, 3000000
(define PI 3.141592653589793)
(define SUN (* 4 PI PI))
(define YEAR 365.24)                    ; days

; A body from its place, its velocity by the day and its mass in suns.
(define (body x y z vx vy vz mass)
  (list (list '.f64 x y z (* vx YEAR) (* vy YEAR) (* vz YEAR) (* mass SUN))))

; Instructions for the three components of something: `make` gets 0, 1, 2.
(define (components make) (map make '(0 1 2)))

; The place of body `from` less that of body `to`, in r20, r21, r22; the distance squared, in r23.
(define (difference place other)
  (list (components (lambda (n)
          (list (list ldu64 (+ r20 n) other (* 8 n))
                (list fsub (+ r20 n) (+ place n) (+ r20 n)))))
        (list fmul r23 r20 r20)
        (list fmul r24 r21 r21)
        (list fadd r23 r23 r24)
        (list fmul r24 r22 r22)
        (list fadd r23 r23 r24)))

.text
_start:
        call    r20, rest
        imm     r1, STEPS
step:
        call    r20, advance
        addi    r1, r1, -1
        bnei    r1, 0, step
        call    r20, energy
        fneg    r11, r21
        fimm    r12, 1e9
        fmul    r11, r11, r12
        cvt_s64_f64 r11, r11
        zext32  r11, r11
        call    r10, print_result
        ret

; Gives the sun the velocity by which the whole rests.
rest:
        imm     r1, bodies
        imm     r2, bodies_end
        (components (lambda (n) (list imm (+ r11 n) 0)))
rest_next:
        ldu64   r4, r1, 48
        (components (lambda (n)
          (list (list ldu64 r5 r1 (+ 24 (* 8 n)))
                (list fmul r5 r5 r4)
                (list fadd (+ r11 n) (+ r11 n) r5))))
        addi    r1, r1, BODY
        blt_u   r1, r2, rest_next
        imm     r1, bodies
        fimm    r4, SUN
        (components (lambda (n)
          (list (list fneg (+ r11 n) (+ r11 n))
                (list fdiv (+ r11 n) (+ r11 n) r4)
                (list st64 r1 (+ r11 n) (+ 24 (* 8 n))))))
        ret

; One step: each pair changes its velocities, then every body moves.
advance:
        imm     r1, bodies              ; r1: a body
        imm     r2, bodies_end
        fimm    r3, 0.01
pull:
        (components (lambda (n)         ; r4, r5, r6: its place; r11, r12, r13: its velocity; r7: its mass
          (list (list ldu64 (+ r4 n) r1 (* 8 n))
                (list ldu64 (+ r11 n) r1 (+ 24 (* 8 n))))))
        ldu64   r7, r1, 48
        addi    r8, r1, BODY            ; r8: another body
        bge_u   r8, r2, pulled
pull_pair:
        (difference r4 r8)
        fsqrt   r24, r23
        fmul    r24, r23, r24
        fdiv    r24, r3, r24            ; r24: step / distance cubed
        ldu64   r9, r8, 48
        (components (lambda (n)
          (list (list fmul r25 (+ r20 n) r9)
                (list fmul r25 r25 r24)
                (list fsub (+ r11 n) (+ r11 n) r25)
                (list fmul r25 (+ r20 n) r7)
                (list fmul r25 r25 r24)
                (list ldu64 r26 r8 (+ 24 (* 8 n)))
                (list fadd r26 r26 r25)
                (list st64 r8 r26 (+ 24 (* 8 n))))))
        addi    r8, r8, BODY
        blt_u   r8, r2, pull_pair
pulled:
        (components (lambda (n) (list st64 r1 (+ r11 n) (+ 24 (* 8 n)))))
        addi    r1, r1, BODY
        blt_u   r1, r2, pull
        imm     r1, bodies
move:
        (components (lambda (n)
          (list (list ldu64 r4 r1 (+ 24 (* 8 n)))
                (list fmul r4 r3 r4)
                (list ldu64 r5 r1 (* 8 n))
                (list fadd r5 r5 r4)
                (list st64 r1 r5 (* 8 n)))))
        addi    r1, r1, BODY
        blt_u   r1, r2, move
        ret

; energy () -> the energy of the whole
energy:
        imm     r3, bodies              ; r3: a body
        imm     r2, bodies_end
        fimm    r9, 0.5
        imm     r1, 0                   ; r1: energy
energy_next:
        (components (lambda (n)         ; its place; its velocity
          (list (list ldu64 (+ r4 n) r3 (* 8 n))
                (list ldu64 (+ r11 n) r3 (+ 24 (* 8 n)))
                (list fmul (+ r11 n) (+ r11 n) (+ r11 n)))))
        ldu64   r7, r3, 48
        fadd    r11, r11, r12
        fadd    r11, r11, r13
        fmul    r12, r9, r7
        fmul    r12, r12, r11
        fadd    r1, r1, r12
        addi    r8, r3, BODY
        bge_u   r8, r2, energy_done
energy_pair:
        (difference r4 r8)
        ldu64   r24, r8, 48
        fmul    r24, r7, r24
        fsqrt   r23, r23
        fdiv    r24, r24, r23
        fsub    r1, r1, r24
        addi    r8, r8, BODY
        blt_u   r8, r2, energy_pair
energy_done:
        addi    r3, r3, BODY
        blt_u   r3, r2, energy_next
        ret

.data
.align 8
bodies:
        (body 0.0 0.0 0.0 0.0 0.0 0.0 1.0)
        (body  4.84143144246472090e+00 -1.16032004402742839e+00 -1.03622044471123109e-01
               1.66007664274403694e-03  7.69901118419740425e-03 -6.90460016972063023e-05 9.54791938424326609e-04)
        (body  8.34336671824457987e+00  4.12479856412430479e+00 -4.03523417114321381e-01
              -2.76742510726411151e-03  4.99852801234917238e-03  2.30417297573763929e-05 2.85885980666130812e-04)
        (body  1.28943695621391310e+01 -1.51111514016986312e+01 -2.23307578892655734e-01
               2.96460137564761618e-03  2.37847173959480950e-03 -2.96589568540237556e-05 4.36624404335156298e-05)
        (body  1.53796971148509165e+01 -2.59193146099879641e+01  1.79258772950371181e-01
               2.68067772490389322e-03  1.62824170038242295e-03 -9.51592254519715870e-05 5.15138902046611451e-05)
bodies_end:

.include "result.s"
