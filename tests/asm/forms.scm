;; Scheme in a source: the values that forms give, what they can call, and the environment they run in.
(use scheme-lib/util)
(use scheme-lib/test)
(use asm/assembler)

(test-group "values of forms"
  (test "nothing: the empty list, definitions, no value" "01"
        (code (lines "(list)" "(define x 1)" "(define (f) 1)" "(define-macro (m) 1)" "(set! x 2)"
                     "(begin (define y 1))" "(if #f 1)" "(define-structure point x y)" "nop")))
  (test "an integer, in ULEB128" "0080017fffffffffffffffffff01"
        (code (lines "(+)" "(* 2 64)" "(- 128 1)" "(- (expt 2 64) 1)")))
  (test "a u8vector" "0102ff" (code "(u8vector 1 2 255)"))
  (test "a label marker" '(("a" . 65537) ("b" . 65538))
        (symbols (lines "nop" "(list (label \"a\") (list nop) (label 'b))")))
  (test "a keyword is one too" '(("a" . 65537)) (symbols "(list (list nop) a: (list nop))"))
  (test "a relocation, computed where it stands" (bytes "01 83 80 04 01")
        (code "(list (list nop) (relocation (lambda () (+ 2 (here)))) (list nop))"))
  (test "a relocation of a fixed size, in little-endian" (bytes "04 00 00 00 01 00 00 fd ff ff ff 01")
        (code (lines "(delay-address (- (address \"end\") (here) 8) 4)"
                     "(list (delay-address 1 1) (delay-address 0 2) (delay-address (- (here) (here) 3) 4))"
                     "nop" "end:")))
  (test "an instruction: opcode and operands" "33010203" (code "(list add r1 r2 r3)"))
  (test "its mnemonic may be a symbol" (bytes "3a 01 02 03 5b 01 02 01")
        (code (lines "(list 'and r1 r2 r3)" "(list (list 'not r1 r2) 'nop)")))
  (test "so must those be that Scheme means otherwise, but for not" "5b0102" (code "(list not r1 r2)"))
  (test "lists of lists" "010101017f"
        (code "(list '() (list (list nop) (list (list nop) (list nop))) (list (list (list nop)) (list halt)))"))
  (test "a list of integers that is no instruction is its integers" (bytes "33 01 02 ac 02 33")
        (code "(list 51 1 2 300 51)"))
  (test "an instruction list encodes its operands by their kind"
        (map bytes '("47 01 02 01" "0a 03" "04 01 05" "0e 0a 00" "82 01 01 0f" "07 01 bf e0 03" "1e 0a 00"
                     "13 01 02 00" "0a 00" "0a 00" "03 01 41"))
        (map code '("(list addi r1 r2 -1)" "(list jump (- (here) 2))" "(list simm r1 5)"
                    "(list call r10 (here))" "(list tget r1 t15)" "(list fimm r1 1.)" "(list hcall r10 'write)"
                    "(list ldu64 r1 r2)" "x: (list jump \"x\")" "x: (list jump 'x)" "(list imm r1 #\\A)")))
  (test "a deferred operand knows its instruction's place" (bytes "01 0a 00")
        (code "(list (list nop) (list jump (delay-address (here))))"))
  (test "directives are lists, too" (bytes "01 01 01 01 0200 41 42 00 07")
        (code "(list (list nop) '(.align 4) (list '.half 2) '(.ascii \"A\") (list '.asciz \"B\") '(.byte 7))"))
  (test "among them sections" '((".data" 65536 "05") (".text" 131072 "01"))
        (layout "(list '(.data) '(.byte 5) '(.text) (list nop))" ) )
  (test "several forms may share a line" "0102" (code "(+ 1) (+ 2) ; (+ 3)"))
  (test "a form may take several lines, and an instruction go on behind it" (bytes "03 01 03 33 01 02 03")
        (code (lines "imm r1, (+ 1" "   ; one" "  2)" "add (+" "1) r2, r3"))))

(test-group "forms as operands"
  (test "give registers, numbers, addresses, host calls" (bytes "08 05 03 03 01 06 0a 08 1e 0a 01 01")
        (code (lines "mov (+ 2 3), r3" "imm r1, (* 2 3)" "jump (+ 2 (here) 2)" "hcall r10, (+ 1 (host \"write\"))"
                     "nop")))
  (test "(address …) is a label's address, with arithmetic" (bytes "03 01 8a 80 04 01")
        (code (lines "imm r1, (+ (address \"foo\") 4)" "nop" "foo:")))
  (test "registers beyond 255 are variables where they are mentioned" (bytes "08 e8 07 8f 4e")
        (code "mov (+ r1000 0), (+ r9998 1)"))
  (test "numbers may be written as elsewhere in a source" (bytes "03 01 1f 02 ff 01")
        (code (lines "imm r1, (+ 0x1E 1)" "(list 0b10 0xff)")))
  (test "data directives take them" (bytes "05 06 00")
        (code (lines ".byte (+ 2 3)" ".half (+ 2 4)")))
  (test "a variable may hold a relocation" (bytes "03 01 80 80 04")
        (code (lines "(define place (delay-address (here)))" "imm r1, place"))))

(test-group "what a form can call"
  (test "(here) is the address of the statement" (bytes "01 81 80 04") (code (lines "nop" "(here)")))
  (test "(label! name) puts a label here" '(("x" . 65537)) (symbols (lines "nop" "(label! \"x\")" "nop")))
  (test "(symbol! name value) enters a symbol" '(("k" . 7)) (symbols "(symbol! \"k\" 7)"))
  (test "(defined? name) of what comes later" "017f" (code (lines "(if (defined? 'later) 1 0)" "later: halt")))
  (test "(defined? name)" "0001" (code (lines "x:" "(if (defined? \"y\") 1 0)" "(if (defined? 'x) 1 0)")))
  (test "(unique-name prefix) is another one each time" '(("loop.1" . 65536) ("loop.2" . 65537))
        (symbols "(list (label (unique-name \"loop\")) (list nop) (label (unique-name \"loop\")))"))
  (test "(uleb128 n) and (sleb128 n) are bytes" '("ac02" "8001" "7f")
        (map code '("(uleb128 300)" "(sleb128 128)" "(sleb128 -1)")))
  (test "string ports, sorting by a library, macros" "0203"
        (code (lines "(use scheme-lib/util)" "(define-macro (twice x) `(list ,x (+ 1 ,x)))"
                     "(twice (string-length (with-output-to-string (lambda () (display 'ab)))))"))))

(test-group "the environment"
  (test "procedures may use what is defined further down" "05"
        (code (lines "(define (f) (g))" "(define (g) 5)" "(f)")))
  (test "each pass begins anew, and the program took two" (list (bytes "01 0a 04") 2)
        (let ((p (asm-string (lines "(define n 0)" "(set! n (+ n 1))" "(list n)" "jump x" "x:"))))
          (list (u8vector->hex (program-section-bytes (car (program-sections p))))
                (program-passes p))))
  (test "a variable that only the pass before defined is not there"
        '("2:1 the Scheme variable `v` is not defined yet: forms run in the order of the source")
        (messages (lines "jump x" "(if (= (pass) 1) '() v)" "(define v 1)" "x:")))
  (test "the next source sees nothing of it" '("1:1 the Scheme variable `leak` is not defined")
        (begin (asm-string "(define (leak) 1)") (messages "(leak)")))
  (test "nor of its macros" '("1:1 the Scheme variable `leak` is not defined")
        (begin (asm-string "(define-macro (leak) 1)") (messages "(leak)")))
  (test "nor does the program around it" #t
        (begin (asm-string "(define asm-leak 1)")
               (##unbound? (##global-var-ref (##make-global-var 'asm-leak)))))
  (test "a source may define anew what Scheme has" (list (bytes "03 02 01") '(1 2 3))
        (list (code (lines "(define (list . x) (reverse (vector->list (apply vector x))))" "(list 1 2 3)"))
              (list 1 2 3)))
  (test "and assign it" (list (bytes "0a") 3)
        (list (code (lines "(set! length (lambda (x) 10))" "(length '(1 2 3))"))
              (length '(1 2 3))))
  (test "or what the assembler has" "05" (code (lines "(define (here) 5)" "(here)")))
  (test "random numbers are the same in each pass and each time"
        #t
        (let ((source (lines "(list (random-integer 100000) (random-integer 100000))" "jump x" "x:")))
          (string=? (code source) (begin (random-integer 10) (code source)))))
  (test "and those of the program around it go on as if nothing had been"
        #t
        (let ((state (random-source-state-ref default-random-source)))
          (let* ((first (random-integer 1000000))
                 (second (random-integer 1000000)))
            (random-source-state-set! default-random-source state)
            (and (= first (random-integer 1000000))
                 (begin (code (lines "(list (random-integer 100000))" "jump x" "x:")) #t)
                 (= second (random-integer 1000000))))))
  (test "also when the source ends in an error" #t
        (let ((state (random-source-state-ref default-random-source)))
          (let ((first (random-integer 1000000)))
            (random-source-state-set! default-random-source state)
            (errors (lines "(random-integer 5)" "(car 5)"))
            (= first (random-integer 1000000)))))
  (test "what a source writes appears once, however many passes there are" "hello\n"
        (with-captured-output
         (lambda () (asm-string (lines "jump x" "(begin (display \"hello\") (newline))" ".zero 100" "x:")))))
  (test "a source may assemble another one" "33010203"
        (code (lines "(use asm/assembler)" "(define x 1)" "(asm \"(define x 5)\")" "(asm '(add r1 r2 r3))"
                     "(if (= x 1) '() 99)")))
  (test "a source may include Scheme" "0505"
        (code (text "(include \"" (path-expand "included.scm" (path-directory (path-expand (this-source-file))))
                    "\")\n(included-twice 5)"))))

(test-group "a few instructions"
  (test "from text" '#u8(51 1 2 3) (asm "add r1, r2, r3"))
  (test "from a list" '#u8(51 1 2 3) (asm '(add r1 r2 r3)))
  (test "from several, with labels" (asm "loop: addi r1, r1, -1\n bnei r1, 0, loop\n nop")
        (asm '(loop: (addi r1 r1 -1) (bnei r1 0 "loop") nop)))
  (test "a label may be a list as well" (asm "x: jump x") (asm '((label "x") (jump x))))
  (test "at an address" (asm "jump x\n x:") (asm "jump 0x20002" at: #x20000))
  (test "zeros at the end are there" '#u8(1 0 0 0) (asm ".byte 1\n.zero 3"))
  (test "nothing gives nothing" '#u8() (asm "")))
