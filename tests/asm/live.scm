;; Into images, and into machines that are there already.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/machine)
(use scheme-lib/image)
(use asm/assembler)

(define (mapped-machine)
  (let ((machine (make-machine)))
    (machine-map! machine #x10000 65536 'rwx)
    machine))

(define hello
  (lines ".equ stdout, 1"
         "_start: imm r11, stdout" "imm r12, message" "imm r13, 6" "hcall r10, write"
         "imm r11, 3" "hcall r10, exit"
         ".data" "message: .ascii \"hello\\n\""))

(test-group "images"
  (test "hold sections with protection, symbols, imports, entry and lines"
        (list '((".text" 65536 5) (".data" 131072 3))
              '("stdout" "_start" "message") '("write" "exit") 65536 '(65536 "hello.s" 2 9))
        (let ((image (program-image (asm-string hello name: "hello.s"))))
          (list (map (lambda (section)
                       (list (vector-ref section 0) (vector-ref section 1) (vector-ref section 4)))
                     (image-sections image))
                (map (lambda (symbol) (vector-ref symbol 0)) (image-symbols image))
                (image-imports image)
                (image-entry image)
                (vector->list (car (image-lines image))))))
  (test "can be written and loaded" 5
        (let ((path (string-append (temporary-path "comet-vm-test") ".img")) (machine (make-machine)))
          (program-write-image (asm-string "_start: imm r1, 5\nhalt") path)
          (machine-load! machine path)
          (delete-file path)
          (machine-run! machine)
          (machine-register machine 'r1)))
  (test "room without bytes is there, and zero" 0
        (let ((machine (make-machine)))
          (machine-load! machine
                         (program-image (asm-string (lines "imm r1, x" "ldu64 r1, r1" "halt" ".bss" ".zero 99999"
                                                           "x: .zero 8"))))
          (machine-run! machine)
          (machine-register machine 'r1)))
  (test "the same source gives the same bytes" #t
        (equal? (image->bytes (program-image (asm-string hello)))
                (image->bytes (program-image (asm-string hello))))))

(test-group "assembling into a machine"
  (test "gives the address behind the code" 65540 (asm-at! (mapped-machine) 65536 "add r1, r2, r3"))
  (test "writes it" "add r1, r2, r3"
        (let ((machine (mapped-machine)))
          (asm-at! machine #x10010 "add r1, r2, r3")
          (caddr (car (machine-disassemble machine #x10010 1)))))
  (test "labels join the machine's symbols" '(("again" . 65536) ("end" . 65539))
        (let ((machine (mapped-machine)))
          (asm-at! machine 65536 "again: imm r1, 1\nend:")
          (machine-symbols machine)))
  (test "whose symbols the code can use" "jump 0x10000"
        (let ((machine (mapped-machine)))
          (asm-at! machine 65536 "again: nop")
          (asm-at! machine 65540 '(jump "again"))
          (caddr (car (machine-disassemble machine 65540 1)))))
  (test "a name may say where" "nop"
        (let ((machine (mapped-machine)))
          (asm-at! machine 65536 "nop\nhere: halt")
          (asm-at! machine 'here 'nop)
          (caddr (car (machine-disassemble machine 65537 1)))))
  (test "a label that is defined again moves, also where it was used before that" (list 65541 "jump 0x10005")
        (let ((machine (mapped-machine)))
          (asm-at! machine 65536 "x: nop")
          (asm-at! machine 65538 "jump x\nnop\nx: nop")
          (list (machine-symbol machine "x")
                (caddr (car (machine-disassemble machine 65538 1))))))
  (test "host calls join the machine's imports" "hcall r10, 2"
        (let ((machine (make-machine)))
          (machine-load! machine (program-image (asm-string hello)))
          (machine-map! machine #x40000 100 'rwx)
          (asm-at! machine #x40000 "hcall r10, read")
          (caddr (car (machine-disassemble machine #x40000 1)))))
  (test "source lines are known" '("asm" 1 1)
        (let ((machine (mapped-machine)))
          (asm-at! machine 65536 "nop")
          (machine-line-at machine 65536)))
  (test "a mistake changes nothing" '(() "brk" "error")
        (let ((machine (mapped-machine)))
          (let ((result (with-exception-catcher
                         (lambda (exception) (if (asm-error? exception) "error" exception))
                         (lambda () (asm-at! machine 65536 "x: nop\nhcall r1, new\njump nowhere")))))
            (list (machine-symbols machine)
                  (caddr (car (machine-disassemble machine 65536 1)))
                  result))))
  (test "a section has no place of its own there" #t
        (and (string-contains
              (errors-of (lambda () (asm-at! (mapped-machine) 65536 ".data")))
              (text "the section `.data` cannot be used here: code that is assembled straight into a machine stands "
                    "at one place; load a program instead, or place its parts one by one"))
             #t))
  (test-error "memory that is not mapped" (asm-at! (make-machine) 65536 "nop"))
  (test "a whole source can be loaded" 3628800
        (let ((path (string-append (temporary-path "comet-vm-test") ".s")) (machine (make-machine)))
          (write-file-text path (lines "_start: imm r1, 1" "imm r2, 10"
                                       "loop: mul r1, r1, r2" "addi r2, r2, -1" "bnei r2, 0, loop" "halt"))
          (load-source! machine path)
          (delete-file path)
          (machine-run! machine)
          (machine-register machine 'r1))))

;; ---- routines ----------------------------------------------------------------------------------------

(define (machine-with-routines)
  (let ((machine (mapped-machine)))
    (asm-at! machine #x10000
             (lines "imm r11, 7" "call r10, square" "halt" "square: mul r1, r1, r1" "ret" "other: imm r1, 1" "ret"))
    machine))

(define (answer machine)
  (machine-pc-set! machine #x10000)
  (machine-run! machine)
  (machine-register machine 'r11))

(test-group "a routine of a machine"
  (test "is replaced where it stands, for its callers" '(49 14 #f)
        (let* ((machine (machine-with-routines))
               (before (answer machine))
               (placed (asm-routine! machine 'square "add r1, r1, r1\n ret")))
          (list before (answer machine) (vector-ref placed 2))))
  (test "leaves no rest of the old code" '("ret" "nop" "nop" "nop" "nop" "imm r1, 1")
        (let ((machine (machine-with-routines)))
          (asm-routine! machine 'square '(ret))
          (map caddr (machine-disassemble machine 'square 6))))
  (test "goes elsewhere where it is too long, and its old entry goes there" '(50 131072 #t "jump 0x20000")
        (let* ((machine (machine-with-routines))
               (entry (machine-symbol machine 'square))
               (placed (asm-routine! machine "square" "mul r1, r1, r1\n addi r1, r1, 1\n ret")))
          (list (answer machine) (machine-symbol machine 'square) (vector-ref placed 2)
                (caddr (car (machine-disassemble machine entry 1))))))
  (test "can call itself, and other symbols" '(#t 120)
        (let* ((machine (machine-with-routines))
               (placed (asm-routine! machine 'square
                                     (lines "beqi r1, 0, other" "mov r2, r1" "addi r11, r1, -1" "call r10, square"
                                            "mul r1, r2, r11" "ret"))))
          (asm-at! machine #x10000 "imm r11, 5")
          (list (vector-ref placed 2) (answer machine))))
  (test "may take the place of labels that it brings itself" #f
        (let ((machine (machine-with-routines)))
          (vector-ref (asm-routine! machine 'square "add r1, r1, r1\n add r1, r1, r1\n other: imm r1, 1\n ret") 2)))
  (test "stays what it was when the new code is wrong" 49
        (let ((machine (machine-with-routines)))
          (errors-of (lambda () (asm-routine! machine 'square "mul r1, r1, r1\n mul r1, r1, r1\n bad r1")))
          (answer machine)))
  (test "must be there" "the machine has no routine `sqare` (did you mean `square`?)"
        (with-exception-catcher exception->text
          (lambda () (asm-routine! (machine-with-routines) 'sqare "ret"))))
  (test "must be code" "there is no code at 0x00000005, where a routine should be"
        (let ((machine (machine-with-routines)))
          (machine-symbol-set! machine 'five 5)
          (with-exception-catcher exception->text (lambda () (asm-routine! machine 'five "ret")))))
  (test "must have room for a jump" "the routine `tiny` has only 1 bytes before the next symbol, too few for a jump to a new place"
        (let ((machine (machine-with-routines)))
          (asm-at! machine #x10100 "tiny: ret\n next: ret")
          (with-exception-catcher exception->text (lambda () (asm-routine! machine 'tiny "nop\n ret")))))
  (test "must have room behind what is mapped" "there is no room behind the mapped memory for the routine's new place"
        (let ((machine (machine-with-routines)))
          (machine-map! machine (- (expt 2 64) 65536) 65536 'rw)
          (with-exception-catcher exception->text
            (lambda () (asm-routine! machine 'square "nop\n nop\n mul r1, r1, r1\n ret"))))))

(define movable
  (lines "_start: pcimm r2, (- (address \"table\") (here))" " ldu8 r1, r2, 1" " call r10, next" " halt"
         "next: spcimm r3, (- (here) (address \"_start\"))" " ret" "table: .byte 7, 8, 9"))

(test-group "code that may stand anywhere"
  (let ((here (asm movable)))
    (test "has the same bytes at every address" (list here here)
          (list (asm movable at: #x500000)
                (program-section-bytes
                 (car (program-sections
                       (link-program (link (list (asm-object-string (text ".global _start\n" movable) name: "o.s")))))))))
    (test "and does the same where it was copied to" '(8 65540)
          (let ((machine (mapped-machine)))
            (asm-at! machine 65540 (list here))
            (machine-pc-set! machine 65540)
            (machine-run! machine 100)
            (list (machine-register machine 'r1) (machine-register machine 'r13))))))
