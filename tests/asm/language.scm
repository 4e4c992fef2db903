;; Statements, literals, labels, sections and directives: sources beside the bytes that they make.
(use scheme-lib/util)
(use scheme-lib/test)
(use asm/assembler)

(define listing (path-expand "listing.s" (path-directory (path-expand (this-source-file)))))

(test-group "the language"
  (test "the listing of the language's own description assembles as it stands"
        (list (list ".text" 65536
                    (bytes "33 00 02 03" "01 01 01 01"       ; add, .align 8
                           "03 05 d5 aa 01" "03 06 2f"       ; imm, imm
                           "33 13 00 00"))                   ; add
              (list ".data" 131072
                    (bytes "0a 0c 22"                        ; .byte
                           "08 01 00" "08 02 00" "08 03 00" "08 04 00"
                           "33 02 0c 13" "03 03 f0 e1 03" "3c 02 02 03")))
        (map (lambda (section)
               (list (program-section-name section)
                     (program-section-address section)
                     (u8vector->hex (program-section-bytes section))))
             (program-sections (asm-file listing))))
  (test "its labels are symbols, several at one place too"
        '(("_start" . 65536)
          ("another_label" . 65552)
          ("multiple_labels_at_the_same_address_is_supported" . 65552)
          ("my_object" . 131072)
          ("some_routine" . 131075))
        (program-symbols (asm-file listing)))
  (test "commas between operands are optional"
        '("33010203" "33010203" "33010203")
        (map code '("add r1, r2, r3" "add r1 r2 r3" "add r1,r2 ,r3")))
  (test "comments go to the end of the line: ; anywhere, # in front"
        (bytes "01 01")
        (code (lines "# all of this" "  # and this" "nop ; one" "; none" "nop;two")))
  (test "labels and an instruction share a line"
        '(("a" . 65537) ("b" . 65537) ("c" . 65537))
        (symbols (lines "nop" "a:b: c: nop")))
  (test "names may have the characters of Scheme's, and others than ASCII"
        '(("%tmp-0?" . 65536) (".l1" . 65536) ("größe" . 65536))
        (symbols "%tmp-0?: .l1: größe:"))
  (test "lines may end with a carriage return" (bytes "01 33 01 02 03") (code "nop\r\nadd r1, r2, r3\r\n"))
  (test "a byte order mark is passed over" "01" (code (string-append (string #\xfeff) "nop")))
  (test "a source without a newline at its end" "01" (code "nop"))
  (test "an empty source is a program without sections" '() (program-sections (asm-string "")))
  (test "a source of blanks and comments too" '() (program-sections (asm-string "  \n ; nothing \n\n")))
  (test "a last offset may be left out" '("13010200" "13010210")
        (map code '("ldu64 r1, r2" "ldu64 r1, r2, 8"))))

(test-group "numbers"
  (test "decimal, hexadecimal, octal and binary"
        '("0301ff01" "0301ff01" "0301ff01" "0301ff01" "0301ff01")
        (map code '("imm r1, 255" "imm r1, 0xff" "imm r1, 0XFF" "imm r1, 0o377" "imm r1, 0b11111111")))
  (test "underscores between digits" (bytes "03 01 c0 84 3d") (code "imm r1, 1_000_000"))
  (test "signs" '("4701010c" "4701010b") (map code '("addi r1, r1, +6" "addi r1, r1, -6")))
  (test "the largest unsigned number"
        (bytes "03 01 ff ff ff ff ff ff ff ff ff 01")
        (code "imm r1, 0xffffffffffffffff"))
  (test "a negative number in an unsigned field is its 64 bits"
        (code "imm r1, 0xffffffffffffffff")
        (code "imm r1, -1"))
  (test "an unsigned number in a signed field is its 64 bits"
        (code "addi r1, r1, -1")
        (code "addi r1, r1, 0xffffffffffffffff"))
  (test "the ends of the signed range"
        '("470101ffffffffffffffffff01" "470101feffffffffffffffff01")
        (map code '("addi r1, r1, -9223372036854775808" "addi r1, r1, 9223372036854775807")))
  (test "simm and spcimm take the number that they negate"
        '("040105" "060105")
        (map code '("simm r1, 5" "spcimm r1, 5")))
  (test "characters are their code points"
        '("030141" "03010a" "030127" "03017f" "030107" "0301ac41")
        (map code '("imm r1, 'A'" "imm r1, '\\n'" "imm r1, '\\''" "imm r1, '\\x7f'" "imm r1, '\\7'"
                    "imm r1, '€'")))
  (test "real numbers are IEEE bits with their bytes reversed"
        (map bytes '("07 01 00" "07 01 80 01" "07 01 bf e0 03" "07 01 bf f0 03"
                     "07 01 bf c9 e9 8b fe c8 ab 8a 7b" "07 01 ff c2 b3 9e df f0 ba e4 a0 01"))
        (map code '("fimm r1, 0.0" "fimm r1, -0.0" "fimm r1, 1" "fimm r1, 1.5" "fimm r1, -2.5e-3"
                    "fimm r1, 1e308")))
  (test "of single precision too, rounded once from the decimal"
        (map bytes '("09 01 00" "09 01 80 01" "09 01 bf 80 02" "09 01 bd 98 b3 ee 0c"))
        (map code '("fimm32 r1, 0.0" "fimm32 r1, -0.0" "fimm32 r1, 1.0" "fimm32 r1, .1")))
  (test "beyond the largest real number is infinity"
        (map code '("fimm r1, (bits 0x7ff0000000000000)" "fimm32 r1, (bits 0x7f800000)"))
        (map code '("fimm r1, 1e400" "fimm32 r1, 1e39")))
  (test "ties between two real numbers go to the even one"
        (map code '("fimm r1, 9007199254740992.0" "fimm r1, 9007199254740996.0"))
        (map code '("fimm r1, 9007199254740993.0" "fimm r1, 9007199254740995.0"))))

(test-group "registers"
  (test "any number" (bytes "08 80 01 c0 84 3d") (code "mov r128, r1000000"))
  (test "thread registers" '("82010103" "83010f01") (map code '("tget r1, t3" "tset t15, r1")))
  (test "r01 is a name, not a register" '("r01") (map car (symbols "r01: nop")))
  (test "so is t16" '("t16") (map car (symbols "t16: nop"))))

(test-group "names as operands"
  (test "a variable of the source in the place of a register" (bytes "08 07 00")
        (code (lines "(define %a r7)" "mov %a, r0")))
  (test "a label, as an absolute address" (bytes "03 01 86 80 04 01")
        (code (lines "imm r1, x" "nop" "x:")))
  (test "a label, relative to the instruction" (bytes "01 0a 01 0a 04 0a 00")
        (code (lines "back: nop" "jump back" "jump forth" "forth: jump forth")))
  (test "labels that are called like mnemonics or Scheme's procedures" (bytes "0a 00 0a 03 0a 04 0a 00")
        (code (lines "halt: jump halt" "jump halt" "jump list" "list: jump list")))
  (test "a procedure does not hide a label of its name" (bytes "0e 0a 00")
        (code (lines "(define (square r) (list mul r r r))" "square: call r10, square")))
  (test "a variable that holds a number does" (bytes "0a 00")
        (code (lines "(define x 65536)" "jump x" "x:")))
  (test "a number as a target is an address" (bytes "0a 00 0a 03")
        (code (lines "jump 65536" "jump 0x10000")))
  (test "host calls are numbered in the order of their appearance"
        '(("write" "exit") "1e0a001e0a011e0a00")
        (let ((p (asm-string (lines "hcall r10, write" "hcall r10, exit" "hcall r10, write"))))
          (list (program-imports p) (u8vector->hex (program-section-bytes (car (program-sections p)))))))
  (test "or given by their index" (bytes "1e 0a 05") (code "hcall r10, 5")))

(test-group "sections"
  (test "begin at 0x10000, and each next one at the next page boundary"
        '((".text" 65536 "01") (".rodata" 131072 "02") (".data" 196608 "03") (".bss" 327680 ""))
        (layout (lines "nop" ".rodata" ".byte 2" ".data" ".byte 3" ".zero 65536" ".bss" ".zero 5")))
  (test "go on where they were left"
        '((".text" 65536 "0101") (".data" 131072 "0506"))
        (layout (lines "nop" ".data" ".byte 5" ".text" "nop" ".data" ".byte 6")))
  (test "are there only if the source uses them" '((".data" 65536 "01"))
        (layout (lines ".data" ".byte 1")))
  (test "have protections"
        '("rx" "r" "rw" "rw" "rwx" "")
        (map program-section-protection
             (program-sections
              (asm-string (lines "nop" ".rodata" ".byte 1" ".data" ".byte 1" ".bss" ".zero 1 ; room"
                                 ".section .jit \"xwr\"" ".byte 1" ".section \"guard\", \"---\"" ".zero 9")))))
  (test "may be named again without the protection" '((".jit" 65536 "0102"))
        (layout (lines ".section .jit \"rwx\"" ".byte 1" ".section .jit" ".byte 2")))
  (test "keep zeros at their end out of the file" '(1 1000001)
        (let ((section (car (program-sections (asm-string (lines ".data" ".byte 1" ".zero 1000000"))))))
          (list (u8vector-length (program-section-bytes section)) (program-section-memory-length section))))
  (test "write zeros where bytes follow" '((".data" 65536 "01000002"))
        (layout (lines ".data" ".byte 1" ".zero 2" ".byte 2")))
  (test "of room only hold no bytes" '(0 131072)
        (let ((section (car (program-sections (asm-string (lines ".bss" ".align 8" "x: .skip 131072"))))))
          (list (u8vector-length (program-section-bytes section)) (program-section-memory-length section)))))

(define (data . strings)
  (cadr (assoc ".data" (map (lambda (section) (cons (car section) (cddr section)))
                            (layout (apply lines ".data" strings))))))

(test-group "data"
  (test ".byte" "01ffff80" (data ".byte 1, 255, -1, -128"))
  (test ".half and .short" "0102feff3412" (data ".half 0x201 -2" ".short 0x1234"))
  (test ".word" "78563412ffffffff" (data ".word 0x12345678, -1"))
  (test ".quad" "0807060504030201ffffffffffffffff" (data ".quad 0x0102030405060708" ".quad -1"))
  (test "labels as data" "0800010000000000" (data ".quad x" "x:"))
  (test ".f64 and .f32" "000000000000f83f0000003f" (data ".f64 1.5" ".f32 0.5"))
  (test ".f64 of an integer, of a form and of bits" "000000000000f03f000000000000f03f0100000000000000"
        (data ".f64 1, (* 2 .5), (bits 1)"))
  (test ".ascii" "414220ff0a22" (data ".ascii \"AB\" \" \\xff\\n\\\"\""))
  (test ".ascii writes UTF-8" "c3a4" (data ".ascii \"ä\""))
  (test ".asciz and .string end with a zero" "41004200" (data ".asciz \"A\"" ".string \"B\""))
  (test "every escape" "0a090d0007081b0c0b5c27224130"
        (data ".ascii \"\\n\\t\\r\\0\\a\\b\\e\\f\\v\\\\\\'\\\"\\x41\\60\""))
  (test ".uleb128 and .sleb128" "ac02ff01" (data ".uleb128 300" ".sleb128 0xff"))
  (test ".sleb128 of negative numbers" "7f807f" (data ".sleb128 -1, -128"))
  (test ".zero and .skip, with a byte to fill with" "000000aaaa01" (data ".zero 3" ".skip 2, 0xaa" ".byte 1"))
  (test ".fill" "010001000707" (data ".fill 2, 2, 1" ".fill 2, 1, 7"))
  (test ".fill of zeros" "0000000001" (data ".fill 4" ".byte 1"))
  (test ".align" "0100000002000000000000000302" (data ".byte 1" ".align 4" ".byte 2" ".align 4" ".align 8"
                                                      ".zero 4" ".byte 3, 2"))
  (test ".align with a byte to fill with" "01eeeeee02" (data ".byte 1" ".align 4, 0xee" ".byte 2"))
  (test ".align where it stands already" "0102" (data ".byte 1" ".align 1" ".byte 2"))
  (test ".align in code fills with nop, which can be run through" (bytes "33 01 02 03 01 01 01 01 7f")
        (code (lines "add r1, r2, r3" ".align 8" "halt"))))

(test-group "symbols"
  (test ".equ" (bytes "03 01 40 03 02 80 01")
        (code (lines ".equ size, 64" "imm r1, size" "imm r2, (* 2 size)")))
  (test ".equ may stand behind its use" (bytes "03 01 40")
        (code (lines "imm r1, size" ".equ size, 64")))
  (test ".equ of another name" (bytes "03 01 40") (code (lines ".equ a, 64" ".equ b, a" "imm r1, b")))
  (test ".equ does not hide what Scheme calls so" (bytes "03 01 02 02")
        (code (lines ".equ here, 2" "imm r1, here" "(define list vector->list)" "(if (procedure? here) 2)")))
  (test ".set may change its symbol" (bytes "03 01 01 03 01 02")
        (code (lines ".set a, 1" "imm r1, a" ".set a, 2" "imm r1, a")))
  (test ".global is accepted" '("main" "x")
        (program-globals (asm-string (lines ".global main x" ".globl main" "main: x: nop"))))
  (test "the entry is _start" 65538 (program-entry (asm-string (lines "nop" "main: nop" "_start: nop"))))
  (test "else main" 65537 (program-entry (asm-string (lines "nop" "main: nop"))))
  (test "else the beginning of .text" 131072
        (program-entry (asm-string (lines ".data" ".byte 1" ".text" "nop"))))
  (test "else the first section that can be executed" 131072
        (program-entry (asm-string (lines ".data" ".byte 1" ".section x \"rx\"" "nop")))))

(test-group "source lines"
  (test "every instruction has its place"
        '(#(65536 "t.s" 1 3) #(65537 "t.s" 3 4) #(65541 "t.s" 4 7) #(65542 "t.s" 4 18))
        (program-lines (asm-string (lines "  nop" "; none" "x: add r1, r2, r3" "(list (list nop) (list nop))"
                                          ".data" ".byte 1" "(list 1 2)")
                                   name: "t.s"))))
