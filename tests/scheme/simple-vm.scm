;; The Simple VM: every instruction, its file, its assembly language, and what the debugger says of it.

(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/image)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/standard)
(use scheme-lib/loaders/simple-vm/assemble)
(use scheme-lib/loaders/simple-vm/program)
(use scheme-lib/loaders/simple-vm/instructions)
(use asm/loaders)
(use debugger/command)
(use debugger/session)
(use debugger/run)
(use debugger/looking-commands)

(define (source data . code)
  (string-append ".data\n" data "\n.code\n" (string-join code "\n") "\n"))
(define (image-of text) (bytes->image (string->utf8 text) "p"))

(define output (open-output-string))
(define last-stop #f)

;; A machine in which the code has run.
(define (run-with data . code)
  (let ((machine (make-machine)))
    (machine-load! machine (image-of (apply source data code)))
    (set! output (open-output-string))
    (machine-stream-set! machine 1 output)
    (set! last-stop (machine-run! machine 100000))
    machine))
(define (run . code) (apply run-with "" code))

(define (symbol-of machine) (lambda (name) (machine-symbol machine name)))
(define (fact machine name)
  (cdr (assoc name ((guest-registers (guest-of (symbol-of machine)))
                    (symbol-of machine)
                    (lambda (address length) (machine-memory machine address length))
                    (lambda (n) (machine-register machine n))))))
(define (after what . code) (fact (apply run code) what))
(define (trap-after . code)
  (apply run code)
  (and (eq? 'trap (stop-reason last-stop))
       (if (eq? 'user (stop-trap last-stop))
           ((guest-trap (loader-guest (loader-named 'simple-vm))) (stop-address last-stop))
           (stop-message last-stop))))

(test-group "numbers"
  (test "load takes 16 bits, unsigned" "65535" (after "$1" "load $1 #65535" "hlt"))
  (test "and more in two instructions" "70000" (after "$1" "load $1 #70000" "hlt"))
  (test "and negative ones" "-5" (after "$1" "load $1 #-5" "hlt"))
  (test "add: the destination is last" "7" (after "$3" "load $1 #3" "load $2 #4" "add $1 $2 $3" "hlt"))
  (test "add goes round at 32 bits" "-2147483648" (after "$1" "load $1 #2147483647" "inc $1" "hlt"))
  (test "sub" "-1" (after "$3" "load $1 #3" "load $2 #4" "sub $1 $2 $3" "hlt"))
  (test "mul" "-15" (after "$3" "load $1 #-3" "load $2 #5" "mul $1 $2 $3" "hlt"))
  (test "div rounds toward 0" "-3" (after "$1" "load $1 #-7" "load $2 #2" "div $1 $2 $1" "hlt"))
  (test "and leaves the remainder" "-1" (after "remainder" "load $1 #-7" "load $2 #2" "div $1 $2 $1" "hlt"))
  (test "div by 0 traps" "the divisor is 0" (trap-after "div $1 $2 $3" "hlt"))
  (test "dec" "-1" (after "$4" "dec $4" "hlt"))
  (test "and, or, xor" '("8" "14" "6")
        (map (lambda (op) (after "$3" "load $1 #12" "load $2 #10" (text op " $1 $2 $3") "hlt")) '(and or xor)))
  (test "not: source, then destination" "-1" (after "$2" "not $1 $2" "hlt"))
  (test "shl" "48" (after "$1" "load $1 #12" "shl $1 #2" "hlt"))
  (test "shl by 0 is by 16" "65536" (after "$1" "load $1 #1" "shl $1 #0" "hlt"))
  (test "shr keeps the sign" "-2" (after "$1" "load $1 #-8" "shr $1 #2" "hlt"))
  (test "lui shifts by 16 and fills in" "65538" (after "$1" "load $1 #1" "lui $1 #2" "hlt"))
  (test "nop" "5" (after "$1" "load $1 #5" "nop" "hlt")))

(test-group "comparisons set the flag"
  (define (flags . op+values)
    (map (lambda (values) (after "equal" (text "load $1 #" (car values)) (text "load $2 #" (cdr values))
                                 (text (car op+values) " $1 $2") "hlt"))
         '((-1 . 1) (1 . 1) (1 . -1))))
  (test "eq" '("0" "1" "0") (flags 'eq))
  (test "neq" '("1" "0" "1") (flags 'neq))
  (test "gt, signed" '("0" "0" "1") (flags 'gt))
  (test "gte" '("0" "1" "1") (flags 'gte))
  (test "lt" '("1" "0" "0") (flags 'lt))
  (test "lte" '("1" "1" "0") (flags 'lte)))

(test-group "floating point, in registers of its own"
  (define (result op) (after "$2f" "loadf64 $0 #3" "loadf64 $1 #4" (text op " $0 $1 $2") "hlt"))
  (define (flag a op b) (after "equal" (text "loadf64 $0 #" a) (text "loadf64 $1 #" b) (text op " $0 $1") "hlt"))
  (test "addf64, subf64, mulf64, divf64" '("7." "-1." "12." ".75") (map result '(addf64 subf64 mulf64 divf64)))
  (test "integer registers stay" "0" (after "$0" "loadf64 $0 #3" "hlt"))
  (test "eqf64 and neqf64" '("1" "0" "0" "1") (list (flag 3 'eqf64 3) (flag 3 'neqf64 3) (flag 3 'eqf64 4) (flag 3 'neqf64 4)))
  (test "what differs by very little is equal" "1"
        (after "equal" "loadf64 $0 #1" "loadf64 $1 #10" "divf64 $0 $1 $2" "loadf64 $3 #2" "divf64 $3 $1 $3"
               "addf64 $2 $3 $3" "loadf64 $4 #3" "divf64 $4 $1 $4" "eqf64 $3 $4" "hlt"))
  (test "gtf64, gtef64, ltf64, ltef64" '("0" "0" "1" "1") (map (lambda (op) (flag 3 op 4)) '(gtf64 gtef64 ltf64 ltef64)))
  (test "and of equal ones" '("0" "1" "0" "1") (map (lambda (op) (flag 4 op 4)) '(gtf64 gtef64 ltf64 ltef64))))

(test-group "jumps"
  (test "jmp goes to an address in a register" "0" (after "$1" "load $0 @over" "jmp $0" "load $1 #9" "over: hlt"))
  (test "jmpf counts from behind its operand" "0" (after "$1" "load $0 #6" "jmpf $0" "load $1 #9" "hlt"))
  (test "jmpb too" "3" (after "$1" "load $2 #3" "load $0 #14" "inc $1" "eq $1 $2" "jmpe @end" "jmpb $0" "end: hlt"))
  (test "jmpe takes a label" "1" (after "$1" "inc $1" "eq $3 $3" "jmpe @end" "inc $1" "end: hlt"))
  (test "or a register" "1" (after "$1" "load $0 @end" "inc $1" "eq $3 $3" "jmpe $0" "inc $1" "end: hlt"))
  (test "and does not go where the flag is not set" "2" (after "$1" "load $0 @end" "inc $1" "neq $3 $3" "jmpe $0" "inc $1" "end: hlt"))
  (test "djmpe" "5" (after "$1" "load $2 #5" "next: inc $1" "neq $1 $2" "djmpe @next" "hlt"))
  (test "cloop and loop go round so many times more" "31" (after "$1" "cloop #10" "load $1 #20" "test: inc $1" "loop @test" "hlt"))
  (test "into an instruction is a trap" "the target is not the beginning of an instruction"
        (trap-after "load $0 #70" "jmp $0"))
  (test "and so is outside the code" "the target is not the beginning of an instruction" (trap-after "load $0 #64" "jmp $0"))
  (test "also where it is known" "the target is not the beginning of an instruction" (trap-after "call #66"))
  (test "but not where it is not gone to" "0" (after "$0" "djmpe #66" "hlt")))

(test-group "subroutines and the stack"
  (test "call and ret" "500" (after "$0" "load $0 #400" "call @f" "hlt" "f: load $0 #500" "ret"))
  (test "push and pop" "7" (after "$2" "load $1 #7" "push $1" "pop $2" "hlt"))
  (test "ret drops what the subroutine left" "0" (after "sp" "call @f" "hlt" "f: push $0" "push $0" "ret"))
  (test "recursion" "120"
        (after "$2" "load $1 #5" "load $2 #1" "call @f" "hlt"
               "f: load $3 #0" "eq $1 $3" "jmpe @done" "mul $1 $2 $2" "dec $1" "call @f" "done: ret"))
  (test "an empty stack" "the stack is empty, or has too little for ret" (trap-after "pop $0"))
  (test "ret without a call" "the stack is empty, or has too little for ret" (trap-after "ret"))
  (test "a full stack" "the stack is full: it has 524288 words"
        (let ((machine (make-machine)))
          (machine-load! machine (image-of (source "" "again: push $0" "eq $0 $0" "jmpe @again")))
          ((guest-trap (loader-guest (loader-named 'simple-vm))) (stop-address (machine-run! machine 5000000))))))

(test-group "the heap"
  (test "has 2048 bytes" "2048" (after "heap" "hlt"))
  (test "aloc makes it larger" "2148" (after "heap" "load $0 #100" "aloc $0" "hlt"))
  (test "setm and loadm" "-3" (after "$2" "load $0 #2044" "load $1 #-3" "setm $0 $1" "loadm $0 $2" "hlt"))
  (test "its end is exact" "4 bytes at this offset are not all on the heap" (trap-after "load $0 #2045" "loadm $0 $1"))
  (test "an offset below 0 is outside" "4 bytes at this offset are not all on the heap" (trap-after "load $0 #-4" "setm $0 $1"))
  (test "what was given back is zeros again" "0"
        (after "$2" "load $0 #2044" "load $1 #-3" "setm $0 $1" "load $3 #-100" "aloc $3" "load $3 #100" "aloc $3" "loadm $0 $2" "hlt"))
  (test "it has a limit" "the heap would have less than 0 bytes or more than 16777216" (trap-after "load $0 #16777216" "aloc $0"))
  (test "in both directions" "the heap would have less than 0 bytes or more than 16777216" (trap-after "load $0 #-2049" "aloc $0")))

(test-group "output and the end"
  (define (output-of data . code) (apply run-with data code) (get-output-string output))
  (test "prts writes a text" "Hello" (output-of "hello: .asciiz 'Hello'" "prts @hello" "hlt"))
  (test "of any length" "ab" (output-of "e: .asciiz ''\na: .asciiz 'a'\nb: .asciiz 'b'" "prts @e" "prts @a" "prts @b" "hlt"))
  (test "over several lines" "a\nb" (output-of "a: .asciiz 'a\nb'" "prts @a" "hlt"))
  (test "which has to have an end" "no text that ends with a zero is at this offset of the read-only data"
        (begin (run-with "n: .integer #-1" "prts @n")
               ((guest-trap (loader-guest (loader-named 'simple-vm))) (stop-address last-stop))))
  (test "hlt ends with 0" 0 (begin (run "hlt") (stop-exit-status last-stop)))
  (test "an illegal instruction with 1" 1 (begin (run "igl") (stop-exit-status last-stop)))
  (test "and so does running on behind the last" 1 (begin (run "nop") (stop-exit-status last-stop))))

(define (file data . code)
  (let ((header (make-u8vector 68 0)))
    (subu8vector-move! (string->utf8 "EPIE") 0 4 header 0)
    (u8vector-set! header 64 (u8vector-length data))
    (u8vector-append header data (list->u8vector code))))
(define (mistake thunk) (with-exception-catcher exception->text thunk))

(test-group "files"
  (define program (assemble (source "a: .asciiz 'hi'\nn: .integer #258" "x: load $1 #70000" "prts @n" "loop @x") "p"))
  (test "the header, the length of the data, data, code"
        (file (u8vector 104 105 0 2 1 0 0) 0 1 0 1 39 1 17 112 21 0 3 0 41 0 75 0)
        (program->bytes program))
  (test "are recognised" 'simple-vm (loader-name (loader-of (program->bytes program) #f)))
  (test "and so is a source" 'simple-vm-source (loader-name (loader-of (string->utf8 ".data\n .CODE ; here\nhlt") #f)))
  (test "run" 3 (let ((machine (make-machine)))
                  (machine-load! machine (file (u8vector) 0 1 0 3 5 0 0 0))
                  (machine-run! machine)
                  (machine-register machine 'r2)))
  (test "opcodes that are none are illegal" 1
        (let ((machine (make-machine))) (machine-load! machine (file (u8vector) 99 0 0 0)) (stop-exit-status (machine-run! machine))))
  (test "registers that are none trap" "there is no such register: they are $0 to $31"
        (let ((machine (make-machine)))
          (machine-load! machine (file (u8vector) 1 0 32 0))
          ((guest-trap (loader-guest (loader-named 'simple-vm))) (stop-address (machine-run! machine)))))
  (test "lines tell the address of each instruction" '(#(65536 "pc" 68 0))
        (take-at-most (image-lines (bytes->image (file (u8vector) 5 0 0 0) "p")) 1))
  (test "cut off in the header" "p: the file ends within the header: it has 4 of 68 bytes"
        (mistake (lambda () (bytes->image (string->utf8 "EPIE") "p"))))
  (test "with less data than it says" "p: byte 64 says that there are 5 bytes of read-only data, but there are 4"
        (mistake (lambda () (let ((bytes (file (u8vector) 5 0 0 0))) (u8vector-set! bytes 64 5) (bytes->image bytes "p")))))
  (test "cut off in an instruction" "p: an instruction has 4 bytes, the last one, at byte 72, has 2"
        (mistake (lambda () (bytes->image (file (u8vector) 5 0 0 0 1 2) "p")))))

(test-group "mistakes in sources have a place"
  (define (tells expected . lines) (test expected expected (mistake (lambda () (assemble (string-join lines "\n") "p")))))
  (define (in-code expected line) (tells (text "p:3:" expected) ".data" ".code" line))
  (tells "p: there is no section .data: a program has .data and .code" ".code" "hlt")
  (tells "p:1:1: a label stands in a section: .data or .code comes first" "a: .code")
  (tells "p:1:1: an instruction stands behind .code" "hlt")
  (tells "p:4:1: there is a label `a` already" ".data" "a: .asciiz 'x'" ".code" "a: hlt")
  (tells "p:2:1: a constant needs a label, by which the program knows it" ".data" ".asciiz 'x'")
  (tells "p:2:4: .integer takes a whole number, such as #500" ".data" "a: .integer 'x'")
  (tells "p:2:4: the number does not fit into 32 bits" ".data" "a: .integer #99999999999")
  (tells "p:2:4: this text has no end: a `'` is missing" ".data" "a: 'x")
  (in-code "4: a constant stands behind .data" "a: .asciiz 'x'")
  (in-code "1: there is no directive .cod (did you mean `code`?)" ".cod")
  (in-code "1: .code takes nothing" ".code #1")
  (in-code "1: `laod` is not an instruction (did you mean `load`?)" "laod $1 #1")
  (in-code "1: `add` takes 3 operands, not 2" "add $1 $2")
  (in-code "6: there is no register $32; they are $0 to $31" "load $32 #1")
  (in-code "8: expected a register, $0 to $31, found #1" "add $1 #1 $2")
  (in-code "10: the number 1.5 does not fit here: whole ones from 0 to 65535 do" "load $1, #1.5")
  (in-code "7: expected a number, such as #5, found 'x'" "cloop 'x'")
  (in-code "7: behind `#` stands a number, such as #100 or #-1" "cloop #")
  (in-code "6: a `@` needs a name behind it" "loop @ x")
  (in-code "6: there is no label `y`" "loop @y")
  (in-code "1: `=` begins nothing: expected a label, an instruction, a directive or an operand" "= 5")
  (in-code "1: expected an instruction or a directive" "$1")
  (tells "p:4:6: `a` is a label of .data, but this takes one of .code" ".data" "a: .integer #1" ".code" "loop @a")
  (test "a label beyond 16 bits" "p:16386:10: `f` is at 65604, beyond what 16 bits hold"
        (mistake (lambda () (assemble (string-append ".data\n.code\n" (string-repeat "nop\n" 16383) "load $1, @f\nf: hlt") "p"))))
  (test "a line has no label" "line:1:1: a line has no label here: a file may, see !load_file"
        (mistake (lambda () (assemble-line "x: hlt" '())))))

(define (shown command) (with-captured-output (lambda () (run-command command))))
(define (write-and-load! name content)
  (let ((path (temporary-path name)))
    (write-file-bytes path content)
    (load-program! path)))

(test-group "the debugger speaks of it"
  (parameterize ((current-session (new-session)))
    (write-and-load! "guest.epie" (file (u8vector) 0 1 0 7 1 1 1 2 5 0 0 0))
    (test-assert "instructions beside Comet's" (string-contains (shown "disassemble") "    72  add $1 $1 $2\n"))
    (step-line! 2)
    (test "its registers" "pc    76\n$1    7\n$2    14\nheap  2048\n" (shown "info guest")))
  (parameterize ((current-session (new-session)))
    (write-and-load! "comet.s" (string->utf8 "_start: halt"))
    (test-error "other programs have none" "this program was made for no other machine" (run-command "info guest"))))
