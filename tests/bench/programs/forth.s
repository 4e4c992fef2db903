; An interpreter in the interpreter: Forth, as threaded code, running a program of its own. A cell is the
; address of the code that does it, and each piece of code ends in a jump to that of the next cell.

; ---- Forth's compiler: a definition to cells, while the program is assembled ----------------------------

; What is not another definition's name.
(define primitives
  '((dup . "do_dup") (drop . "do_drop") (swap . "do_swap") (over . "do_over") (+ . "do_add") (- . "do_subtract")
    (< . "do_less") (mod . "do_mod") (bye . "do_bye")))

(define (cells . names) (map (lambda (name) (list '.quad (address name))) names))

; The words of a definition; `open` are labels that its structures still need.
(define (compile words open)
  (if (null? words)
      (cells "do_exit")
      (let ((word (car words)) (label-here (unique-name)))
        (define (then code #!optional (open open)) (list code (compile (cdr words) open)))
        (cond ((number? word)
               (then (list (cells "do_literal") (list '.quad word))))
              ((assq word primitives)
               => (lambda (primitive) (then (cells (cdr primitive)))))
              (else
               (case word
                 ((exit)   (then (cells "do_exit")))
                 ((if)     (then (cells "do_jump_if_zero" label-here) (cons label-here open)))
                 ((then)   (then (list (label (car open))) (cdr open)))
                 ((begin)  (then (list (label label-here)) (cons label-here open)))
                 ((while)  (then (cells "do_jump_if_zero" label-here) (cons label-here open)))
                 ((repeat) (then (list (cells "do_jump" (cadr open)) (label (car open))) (cddr open)))
                 (else     (then (cells "do_call" (symbol->string word))))))))))

(define (definition name words) (list (label name) (compile words '())))

; ---- the interpreter -----------------------------------------------------------------------------------

(define %next   r1)                     ; address of the next cell
(define %top    r2)                     ; the stack's top number; the others are in memory
(define %stack  r3)                     ; address of the one below the top
(define %places r4)                     ; address of the innermost place to return to

(define (push register) (list (list addi %stack %stack -8) (list st64 %stack register)))
(define (pop register)  (list (list ldu64 register %stack) (list addi %stack %stack 8)))
(define (next)
  (list (list ldu64 r5 %next)
        (list addi %next %next 8)
        (list jumpr r5)))

.text
_start:
        imm     %next, main
        imm     %stack, numbers_end
        imm     %places, places_end
        (next)

do_literal:
        (push %top)
        ldu64   %top, %next
        addi    %next, %next, 8
        (next)
do_dup:
        (push %top)
        (next)
do_drop:
        (pop %top)
        (next)
do_swap:
        ldu64   r6, %stack
        st64    %stack, %top
        mov     %top, r6
        (next)
do_over:
        (push %top)
        ldu64   %top, %stack, 8
        (next)
do_add:
        (pop r6)
        add     %top, r6, %top
        (next)
do_subtract:
        (pop r6)
        sub     %top, r6, %top
        (next)
do_less:
        (pop r6)
        lt_s    %top, r6, %top
        (next)
do_mod:
        (pop r6)
        rem_s   %top, r6, %top
        (next)
do_jump_if_zero:
        beqi    %top, 0, jump_if_zero
        addi    %next, %next, 8
        (pop %top)
        (next)
jump_if_zero:
        (pop %top)
do_jump:
        ldu64   %next, %next
        (next)
do_call:
        addi    %places, %places, -8
        addi    r5, %next, 8
        st64    %places, r5
        ldu64   %next, %next
        (next)
do_exit:
        ldu64   %next, %places
        addi    %places, %places, 8
        (next)
do_bye:
        zext32  r11, %top
        call    r10, print_result
        ret

; ---- the program ---------------------------------------------------------------------------------------

.rodata
.align 8
        (definition "fib"  '(dup 2 < if exit then  dup 1 - fib  swap 2 - fib  +))
        (definition "gcd"  '(begin dup while swap over mod repeat drop))
        (definition "main" '(0 500000 begin dup while swap over 360360 gcd + swap 1 - repeat drop  27 fib +  bye))

.bss
        .zero   8000
numbers_end:
        .zero   8000
places_end:

.include "result.s"
