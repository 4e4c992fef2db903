;; Every text of an error, beside the source that brings it about.
(use scheme-lib/util)
(use scheme-lib/test)
(use asm/assembler)
(use asm/isa)

(define included (path-expand "included.scm" (path-directory (path-expand (this-source-file)))))

;; Whether one of the messages begins with the place and contains the text.
(define (reports? source place part)
  (let ((found (messages source)))
    (or (any (lambda (message)
               (and (string-prefix? (string-append place " ") message)
                    (string-contains message part)
                    #t))
             found)
        found)))

(define-macro (reports name source place part)
  `(test ,name #t (reports? ,source ,place ,part)))

(test-group "lines that cannot be read"
  (reports "a statement that begins with something else" "  \"foo\"" "1:3"
           "expected a label, an instruction, a directive or a Scheme form, found `\"`")
  (reports "a parenthesis too many" "nop\n)" "2:1" "found a `)` that closes nothing")
  (reports "something behind a Scheme form" "(list) nop" "1:8"
           "expected the end of the line behind a Scheme form, found `n`")
  (reports "a string without end" ".ascii \"abc" "1:8" "the string has no end: expected \" before the end of the line")
  (reports "a string that ends in a backslash" ".ascii \"abc\\" "1:8" "the string has no end")
  (reports "a character without end" "imm r1, 'a" "1:9" "the character literal has no end: expected '")
  (reports "two characters" "imm r1, 'ab'" "1:9"
           "a character literal holds one character, found 2: text is written between \" and \"")
  (reports "no character" "imm r1, ''" "1:9" "a character literal holds one character, found 0")
  (reports "an unknown escape" ".ascii \"a\\q\"" "1:10" "unknown escape `\\q`: known are \\n")
  (reports "\\x without digits" ".ascii \"\\xg\"" "1:9" "expected hexadecimal digits behind \\x")
  (reports "an octal escape of more than a byte" ".ascii \"\\777\"" "1:9" "the escape \\777 is more than a byte")
  (reports "digits of another base" "imm r1, 0xfg" "1:9" "malformed number `0xfg`: expected digits 0-9 and a-f")
  (reports "octal" "imm r1, 0o8" "1:9" "expected digits 0-7")
  (reports "binary" "imm r1, -0b2" "1:9" "malformed number `-0b2`: expected digits 0 and 1")
  (reports "an underscore at the end" "imm r1, 1_" "1:9" "malformed number `1_`: expected decimal digits")
  (reports "a number with letters" "imm r1, 12ab" "1:9" "malformed number `12ab`")
  (reports "an exponent beyond everything" "fimm r1, 1e99999" "1:10" "the exponent is beyond every format")
  (reports "a number without end" (text "imm r1, " (make-string 401 #\1)) "1:9" "a number of 401 characters")
  (reports "two commas" "add r1,, r2, r3" "1:8" "expected an operand, found a comma")
  (reports "a comma first" "add , r1" "1:5" "expected an operand, found a comma")
  (reports "a comma last" "add r1, r2, ; c" "1:11" "expected an operand behind the comma, found a comment")
  (reports "brackets" "ldu64 r1, [r2]" "1:11" "expected an operand, found `[`: an address is written `base, offset`")
  (reports "a comment sign in the middle" "nop # c" "1:5" "behind a statement, a comment begins with ;")
  (reports "and behind a comma" "add r1, # c" "1:9" "expected an operand, found `#`: behind a statement, a comment begins with ;")
  (reports "another assembler's sign for a number" "imm r1, #5" "1:9" "found `#`: a number has nothing before it")
  (test "other assemblers' comments" '("a comment begins with ; and not with //") (notes "add r1, r2, r3 // sum; of both"))
  (test "at a line's beginning" '("a comment begins with ; and not with /*") (notes "/* all */"))
  (test "behind data" '("a comment begins with ; and not with //") (notes ".byte 1 // one"))
  (test "not behind the mistake" '() (notes "ad r1, r2 // sum"))
  (test "not in a string, a name or a comment" '() (notes ".ascii \"\\\" // \", a//b, 5 ; // c"))
  (reports "operands without a blank between them" ".ascii \"a\"\"b\"" "1:11"
           "expected a blank or a comma between operands, found `\"`")
  (reports "a register as a label" "r5: nop" "1:1" "`r5` cannot be a label: it is the name of a register")
  (reports "a point as a label" ".: nop" "1:1" "`.` cannot be a label")
  (reports "an unbalanced form, where it opened" "nop\n  (define x\n nop\n" "2:3"
           "this `(` is never closed: expected `)` before the end of the source")
  (test "where another form begins in its column, that is the likely place"
        '("the form in line 3 begins in the same column, so the `)` is probably missing before it")
        (notes "(define (f x)\n  (list x)\n(define y 2)\n(f y)\n"))
  (reports "and reading goes on there" "(define (f x)\n  (list x)\n(define y 2)\nadd r1\n" "4:1" "`add` takes 3 operands")
  (reports "a string without end in a form" "(display \"abc)\nnop\n" "1:10"
           "the string in this Scheme form has no end")
  (reports "a form that Scheme cannot read" "nop\n(list\n  #\\foobar)" "3:3"
           "this Scheme form cannot be read: invalid character name"))

(test-group "bytes that are no UTF-8"
  (test "have their place" '("bad.s" 2 5 "the byte 0xff is not part of UTF-8 text: save the file as UTF-8")
        (let ((path (string-append (temporary-path "comet-vm-test") "bad.s")))
          (write-file-bytes path (u8vector-append (string->utf8 "nop\nnop ") '#u8(255) (string->utf8 "\n")))
          (let ((diagnostic (with-exception-catcher
                             (lambda (exception) (car (asm-error-diagnostics exception)))
                             (lambda () (asm-file path)))))
            (delete-file path)
            (list (last (string-split (asm-diagnostic-file diagnostic) char-numeric?))
                  (asm-diagnostic-line diagnostic)
                  (asm-diagnostic-column diagnostic)
                  (asm-diagnostic-message diagnostic))))))

(test-group "files"
  (test "a missing one" "/no/such/file.s: error: the source cannot be read: there is no such file\n"
        (errors-of (lambda () (asm-file "/no/such/file.s"))))
  (reports "an included one that is missing" ".include \"none.s\"" "1:10"
           "there is no file `none.s` in the current folder; -I names more folders")
  (test "a folder" "/tmp: error: the source cannot be read: it is a directory\n"
        (errors-of (lambda () (asm-file "/tmp")))))

(test-group "instructions"
  (reports "an unknown mnemonic, with near ones" "ad r1, r2, r3" "1:1"
           "there is no instruction `ad` (did you mean `add` or `and`?)")
  (reports "a label without its colon" "_start imm r1, 5" "1:1"
           "there is no instruction `_start`; if it is a label, a colon stands behind it: _start:")
  (reports "one before a directive" "x .word 5" "1:1" "if it is a label, a colon stands behind it: x:")
  (reports "a macro of another assembler" (lines ".macro twice r" "add r1, r1, r1" ".endm") "1:1"
           "there is no directive `.macro`: a macro is a Scheme procedure that returns instructions, (define (twice r)")
  (reports "a form of a library that is not used" "($while (r1 > 0) (nop))" "1:1"
           "the Scheme variable `$while` is not defined; (use asm/library/structured) brings $if, $while and others")
  (reports "one that is not near any" "frobnicate" "1:1" "there is no instruction `frobnicate`")
  (reports "a directive without its point" "byte 1" "1:1" "(did you mean the directive `.byte`?)")
  (reports "a procedure that is called like one" "(define (clear) '())\nclear" "2:1"
           "there is no instruction `clear`: it is a Scheme procedure, which is called as (clear …)")
  (reports "too few operands" "add r1, r2" "1:1"
           "`add` takes 3 operands (a register (written), a register (read), a register (read)), found 2")
  (reports "too many, at the first that is" "ret r1" "1:5" "`ret` takes no operands, found 1")
  (reports "a number where a register is expected" "add r1, r2, 5" "1:13"
           "`add` expects a register (read), found the number 5; `addi` takes a number")
  (reports "a register where a number is expected" "addi r1, r2, r3" "1:14"
           "`addi` expects a signed number, found the register r3; `add` takes a register")
  (test "every name in the hint for another assembler's is an instruction" '()
        (remove isa-find
                (append-map (lambda (name)
                              (let ((parts (string-split (car (messages (string-append name " r1"))) #\`)))
                                (let loop ((rest (drop-at-most parts 3)) (found '()))
                                  (if (or (null? rest) (null? (cdr rest)))
                                      found
                                      (loop (cddr rest) (cons (car rest) found))))))
                            '("li" "jmp" "ldr" "str" "cmp" "syscall"))))
  (reports "another assembler's name" "push r1" "1:1"
           "there is no instruction `push`; calls need no stack: each has registers of its own")
  (reports "a number where mov wants a register" "mov r1, 5" "1:9"
           "`mov` expects a register (read), found the number 5; `imm` takes a number")
  (reports "a register as a target" "jump r5" "1:6" "`jump` expects a label or an address, found the register r5")
  (reports "a thread register as a register" "mov r1, t2" "1:9" "found the thread register t2")
  (reports "a register as a thread register" "tget r1, r2" "1:10" "thread registers are t0 to t15")
  (reports "a number as a thread register" "tget r1, 2" "1:10" "`tget` expects a thread register, found the number 2")
  (reports "a register that is too far" "mov r1, r4294967296" "1:9"
           "there is no register r4294967296: they are r0 to r4294967295")
  (reports "a number that 64 bits do not hold" "imm r1, 0x1ffffffffffffffff" "1:9"
           "the number 36893488147419103231 does not fit into 64 bits (-2^63 to 2^64-1)")
  (reports "one that is too small" "addi r1, r1, -9223372036854775809" "1:14" "does not fit into 64 bits")
  (reports "a negative number that is used negated" "simm r1, -5" "1:10"
           "`simm` uses its number negated: write 5 instead of -5")
  (reports "a real number in an integer's place" "imm r1, 1.5" "1:9"
           "`imm` expects an unsigned number or an address, found the real number 1.5")
  (reports "text in an instruction" "imm r1, \"a\"" "1:9" "found the string \"a\"")
  (reports "a name in a real number's place" "fimm r1, x" "1:10" "expected a real number, found the unknown name `x`")
  (reports "a label in a register's place" "x: mov r1, x" "1:12" "`mov` expects a register (read), found the label `x`")
  (reports "an unknown name in a register's place" "(define %tmp 1)\nmov r1, %tpm" "2:9"
           "found the unknown name `%tpm` (did you mean `%tmp`?)")
  (reports "a host call that cannot have that name" "hcall r1, a+b" "1:11"
           "`a+b` cannot be the name of a host call: expected 1 to 63 letters, digits, _ - .")
  (reports "a number that is no host call" "hcall r1, -1" "1:11"
           "`hcall` expects the name of a host call, found the number -1: expected 0 to"))

(test-group "labels"
  (reports "an undefined one, with near ones" "loop: nop\njump lop" "2:6"
           "the label `lop` is not defined (did you mean `loop`?)")
  (reports "a label as if it were a variable" "imm r1, (+ x 1)\nx: nop" "1:9"
           "the Scheme variable `x` is not defined; the label's address is (address \"x\")")
  (reports "in data" ".word nowhere" "1:7" "the label `nowhere` is not defined")
  (reports "in a form" "imm r1, (address \"nowhere\")" "1:9" "the label `nowhere` is not defined")
  (reports "as an expression of other assemblers" "x: imm r1, x+10" "1:12"
           "the label `x+10` is not defined: an expression is written in Scheme, such as (+ (address \"x\") 10)")
  (reports "one that is there twice" "x: nop\n  x: nop" "2:3" "the label `x` is defined already")
  (test "with the other place" '("first defined in line 1, column 2") (notes " x: nop\nx: nop"))
  (reports "a symbol that is there twice" ".equ x, 1\n.equ x, 2" "2:1" "the label `x` is defined already")
  (reports "a label of a form" "x: nop\n(label 'x)" "2:1" "the label `x` is defined already")
  (reports ".set of a label" "x: nop\n.set x, 2" "2:1" "the symbol `x` is defined already")
  (reports "a name that begins with a digit" "1a: nop" "1:1"
           "`1a` cannot be a label: names do not begin with a digit, and numeric labels are digits only")
  (reports "from a form, too" "(label \"1a\")" "1:1" "`1a` cannot be a label: names do not begin with a digit")
  (reports "a numeric label without a direction" "1: nop\nimm r1, (address \"1\")" "2:9"
           "`1` is no name of a label; the label 1: is `1b` behind it and `1f` before it"))

(test-group "directives"
  (reports "one of another assembler" ".long 8" "1:1" "there is no directive `.long`; here it is called `.word`")
  (reports "an unknown one, with near ones" ".algn 8" "1:1" "there is no directive `.algn` (did you mean `.align`?)")
  (reports "no operands" ".byte" "1:1" "`.byte` expects one or more numbers, found nothing")
  (reports "too many" ".align 1, 2, 3" "1:1" "`.align` expects a power of two, and a byte to fill with, found 3 operands")
  (reports "one too many" ".text 1" "1:1" "`.text` expects no operands, found 1 operand")
  (reports "a register" ".byte r1" "1:7" "`.byte` expects a number, found the register r1")
  (reports "text among numbers" ".byte \"a\"" "1:1" "`.byte` expects numbers, found the string \"a\": text is for .ascii")
  (reports "a real number among integers" ".word 1.5" "1:7" "`.word` expects an integer, found")
  (reports "a number among text" ".ascii 1" "1:8" "`.ascii` expects strings, found the number 1")
  (reports "what a form gave" ".ascii (+ 1 2)" "1:8" "`.ascii` expects strings, found the number 3")
  (reports "a number that is too large" ".byte 256" "1:7" "the number 256 does not fit into 8 bits")
  (reports "a number that is too small" ".half -32769" "1:7" "the number -32769 does not fit into 16 bits")
  (reports "a symbol beyond 64 bits" ".equ x, (expt 2 64)" "1:9" "does not fit into 64 bits")
  (reports ".sleb128 beyond 64 bits" ".sleb128 (expt 2 64)" "1:10" "does not fit into 64 bits")
  (reports "an alignment that is no power of two" ".align 3" "1:8" "`.align` expects a power of two, found 3")
  (reports "none at all" ".align 0" "1:8" "`.align` expects a power of two, found 0")
  (reports "a huge one" ".align 0x40000000000" "1:8" "`.align` expects at most 65536 (sections begin at pages of that size), found 4398046511104")
  (reports "a byte to fill with that is none" ".align 8, 256" "1:11" "`.align` fills with a byte (0 to 255), found 256")
  (reports "a huge size" ".zero 1073741825" "1:7" "`.zero` expects a size of 0 to 1073741824, found 1073741825")
  (reports "a negative one" ".skip -1" "1:7" "`.skip` expects a size of 0 to 1073741824, found -1")
  (reports "sizes that are huge together" ".bss\n.zero 0x3fffffff\n.zero 2" "3:7"
           "the program would take 1073741825 bytes of memory: the sections together may have 1073741824")
  (reports "a huge fill" ".fill 0x10000000, 8, 1" "1:22" "`.fill` would take 2147483648 bytes: at most 268435456")
  (reports "a fill of another size" ".fill 1, 3, 1" "1:7" "`.fill` repeats values of 1, 2, 4 or 8 bytes, found 3")
  (reports "more bytes than an image may have" ".zero 0x20000000\n.byte 1" "2:7"
           "the section `.text` would have 536870913 bytes in the image: at most 268435456 can be stored")
  (reports "bytes in .bss" ".bss\n.byte 1" "2:7" "the section `.bss` holds no bytes, only room: expected .zero or .align")
  (reports "a section without protection" ".section foo" "1:1"
           "the section `foo` is new: expected a protection, such as .section foo \"rw\"")
  (reports "a protection that is none" ".section foo \"rwz\"" "1:1" "`.section` expects a protection of the letters r, w and x, such as \"rw\", found \"rwz\"")
  (reports "a section of another protection" ".section foo \"r\"\n.section foo \"w\"" "2:1"
           "the section `foo` has the protection \"r\" already, found \"w\"")
  (reports "a name that is none" ".section 5 \"r\"" "1:1" "`.section` expects a name, found the number 5")
  (reports ".org that leaves too much" ".org 0x80000000" "1:6"
           "`.org` would leave 2147418112 bytes free: a section may have 1073741824")
  (reports ".include in a list" "(list '.include \"a.s\")" "1:1"
           "`.include` cannot come from Scheme: expected it in a line of its own")
  (reports "a condition in a list" "(list '.if 1)" "1:1"
           "`.if` cannot come from Scheme, which has `if` and `map`: expected it in a line of its own")
  (reports "a real number that is none" ".f64 r1" "1:6" "`.f64` expects real numbers, found the register r1")
  (reports "nor is a form's" ".f64 (list 1)" "1:6" "`.f64` expects real numbers, found (1)"))

(test-group "what Scheme gives"
  (reports "text" "\"a\"\n(string #\\a)" "1:1" "expected a label")
  (reports "a string" "(string #\\a)" "1:1" "a Scheme form gave the string \"a\", which cannot be assembled")
  (reports "a string's way out" "(string #\\a)" "1:1" "; a string is data in (list '.ascii \"…\")")
  (reports "and what can be" "(string->symbol \"abc\")" "1:1"
           "expected (), an integer, a u8vector, (label \"name\"), (relocation …), an instruction such as (list mov r1 r2), or a list of these")
  (reports "false" "(memq 'a '())" "1:1" "; (if condition value) without an else gives nothing")
  (reports "a procedure" "car" "1:1" "there is no instruction `car`")
  (reports "a procedure as a value" "(begin car)" "1:1" "a Scheme form gave a procedure, which cannot be assembled")
  (reports "a symbol" "(string->symbol \"abc\")" "1:1" "a Scheme form gave the symbol abc")
  (reports "a pair" "(cons 1 2)" "1:1" "a Scheme form gave the pair (1 . 2), which cannot be assembled: expected a proper list")
  (reports "a negative integer" "(- 5)" "1:1"
           "the integer -5 cannot be encoded as ULEB128: expected 0 to 2^64-1; (sleb128 n) gives the bytes")
  (reports "a huge integer" "(expt 2 64)" "1:1" "cannot be encoded as ULEB128: expected 0 to 2^64-1")
  (reports "an unknown mnemonic in a list" "(list 'ad r1 r2 r3)" "1:1"
           "there is no instruction `ad` in the list (ad 1 2 3) (did you mean `add` or `and`?)")
  (reports "a wrong count in a list" "(list (list nop) (list 'add r1 r2))" "1:18" "`add` takes 3 operands, found 2")
  (test "with the list" '("in the list (add 1 2)") (notes "(list (list nop) (list 'add r1 r2))"))
  (reports "an operand in a list" "(list add r1 r2 -3)" "1:1" "`add` expects a register (read), found the number -3")
  (test "with its mnemonic" '("in the list (add 1 2 -3)") (notes "(list add r1 r2 -3)"))
  (reports "a directive in a list" "(list '.byte 256)" "1:1" "the number 256 does not fit into 8 bits")
  (test "with that list" '("in the list (.byte 256)") (notes "(list '.byte 256)"))
  (reports "an operand form" "mov r1, (car (list (string->symbol \"a\")))" "1:9" "`mov` expects a register (read), found the symbol a")
  (reports "a label without a name" "(label \"\")" "1:1" "expected the name of a label, found an empty string")
  (reports "a label of something else" "(label 5)" "1:1" "expected the name of a label (a string), found the number 5")
  (reports "a label of control characters" "(label \"a\\nb\")" "1:1"
           "the string \"a\\nb\" cannot be a name: names have up to 1000 characters, none of them a control character")
  (reports "an endless label" (text (make-string 1001 #\a) ":") "1:1" "cannot be a name: names have up to 1000")
  (reports "a section without a name" ".section \"\" \"r\"" "1:1" "expected the name of a section, found an empty string")
  (reports "a host call that is no name" "(host 5)" "1:1" "(host name) expects a string, found the number 5")
  (reports "a symbol's value" "(symbol! 'x 1.5)" "1:1" "(symbol! name value) expects an integer of 64 bits, found")
  (reports "a relocation without a procedure" "(relocation 5)" "1:1"
           "(relocation thunk) expects a procedure without arguments, found the number 5")
  (reports "a relocation of another size" "(relocation (lambda () 1) 3)" "1:1"
           "a relocation has a size of 1, 2, 4 or 8 bytes, found the number 3")
  (reports "a relocation that gives something else" "(delay-address 'x)" "1:1" "the label `x` is not defined")
  (reports "a relocation that gives no integer" "(delay-address 1.5)" "1:1"
           "a relocation gave the number 1.5, expected an integer")
  (reports "a relocation that does not fit" "(delay-address 256 1)" "1:1" "the number 256 does not fit into 8 bits")
  (reports "bytes of a number that is none" "(uleb128 1.5)" "1:1" "expected an integer of 64 bits, found the number 1.5")
  (reports "bits that are too many" "fimm32 r1, (bits 0x100000000)" "1:12" "expected 0 to 4294967295"))

(test-group "errors of Scheme"
  (reports "an unknown variable, with near ones" "(define counter 1)\n(list countr)" "2:1"
           "the Scheme variable `countr` is not defined (did you mean `counter`?)")
  (reports "a variable that is defined further down" "(f)\n(define (f) '())" "1:1"
           "the Scheme variable `f` is not defined yet: forms run in the order of the source")
  (reports "in an operand" "imm r1, (+ 1 countr)" "1:9" "the Scheme variable `countr` is not defined")
  (reports "a wrong argument" "(car 5)" "1:1" "Scheme: (Argument 1) PAIR expected (car 5)")
  (reports "the user's own" "(error \"the stack is\" 'full 1)" "1:1" "the stack is full 1")
  (reports "another object" "(raise 'oops)" "1:1" "Scheme raised oops")
  (reports "a form that is wrong, where it stands" "(list\n  (if))" "2:3" "Scheme: Ill-formed special form: if")
  (reports "a mnemonic that is syntax" "(list and r1 r2 r3)" "1:7" "Macro name can't be used as a variable: and")
  (test "with how it is written" '("in a list, the instruction is written 'and") (notes "(list and r1 r2 r3)"))
  (test "the procedures that led there"
        '("in `inner`, t.s:4:14" "in `outer`, t.s:2:9")
        (notes (lines "(define (outer x)" "  (list (inner x)))" "(define (inner x)" "  (list (+ 1 (car x))))" "" "(outer 5)")))
  (test "also those of an included file" (list (text "in `included-error`, " included ":5:8"))
        (notes (text "(include \"" included "\")\n(included-error 5)")))
  (reports "are at the statement" "(define (f x) (list (+ 1 (car x))))\n\n  (f 5)" "3:3" "PAIR expected")
  (reports "a problem of the assembler within a procedure" "(define (f) (list (address \"no\")))\n(f)" "2:1"
           "the label `no` is not defined")
  (test "with the way there, too" '("in `f`, t.s:1:19") (notes "(define (f) (list (address \"no\")))\n(f)"))
  (reports "an assembly within an assembly" "(use asm/assembler)\n(asm \"ad\")" "2:1"
           "an assembly within this source failed:")
  (test "no word of the assembler's own" #f
        (any (lambda (word) (string-contains (errors "(define (f x) (car x))\n(f 5)\n(undefined-thing)\n(if)") word))
             '("asm-source" "asm/" "environment" "#<"))))

(test-group "one error does not hide another"
  (test "the true one is told, not those that follow from it"
        '("1:42 there is no instruction `mvo` in the list (mvo 1 1) (did you mean `mov`?)")
        (messages (text "(define (again) (list (list 'jump \"end\") (list 'mvo 1 1) (label \"end\") (list 'jump \"end\")))\n"
                        "(again)\njump end\n")))
  (test "and all that a list holds" '("1:7" "1:34")
        (map (lambda (message) (car (string-split message #\space)))
             (messages "(list (list 'ad 1 2) (list 'nop) (list 'ad 3 4) (label \"end\"))\njump end\n")))
  (test "a form that fails may have given labels, so that these are not missed"
        '("1:1 Scheme: (Argument 1) PAIR expected (car 5)")
        (messages "(list (car 5) (label \"end\"))\njump end\n"))
  (test "a label that a form gave in an earlier pass only"
        '("1:1 the label `nowhere` is not defined")
        (messages "(list (label \"a\") (list 'jump (address \"nowhere\")) (label \"end\"))\njump end\njump a\n"))
  (test "the same name is never offered instead" #f
        (string-contains (errors "(if (= (pass) 1) (label \"end\"))\njump end\n") "did you mean")))

(test-group "many errors"
  (test "are found in one run" '("1:1" "2:6" "4:7" "6:7")
        (map (lambda (message) (car (string-split message #\space)))
             (messages (lines "ad r1" "jump x" "nop" ".byte (car 5)" "nop" ".byte 999"))))
  (test "up to twenty" 20 (length (messages (string-repeat "jump nowhere\n" 50))))
  (test "which the last line says" #t
        (string-suffix? "The first 20 mistakes are shown; there may be more." (string-trim (errors (string-repeat "jump nowhere\n" 50)))))
  (test "of reading, too" 20 (length (messages (string-repeat "imm r1, 'ab'\n" 50))))
  (test "where reading failed, what needs no running is added" '("1:9" "2:1" "3:1")
        (map (lambda (message) (car (string-split message #\space)))
             (messages (lines "imm r1, 'ab'" "ad r1" ".foo" "(car 5)" "jump undefined"))))
  (test "errors show the line and a caret, tabs kept"
        (lines "t.s:2:10: error: the label `nowhere` is not defined" "    \timm\tr1, nowhere" "    \t   \t    ^")
        (errors "nop\n\timm\tr1, nowhere")))
