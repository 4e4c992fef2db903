;; The binary tools, as Scheme procedures. tests/asm/tools.sh holds the commands.
(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/loaders/intel-hex)
(use asm/assembler)
(use vm-ext/gambit/vm)

(define examples (path-expand "../../examples/" (path-directory (path-expand (this-source-file)))))

(define (object-of . source) (asm-object-string (apply lines source) name: "o.s"))
(define (image-of-source . source) (program-image (asm-string (apply lines source))))

(test-group "symbols of an image are told apart by where they are"
  (test "letters"
        '(#("a" #\T 65536 #f) #("b" #\R 131072 #f) #("c" #\D 196608 #f) #("d" #\B 196609 #f) #("e" #\B 196618 #f)
          #("f" #\A 5 #f))
        (binary-symbols (image-of-source "a: nop" ".rodata" "b: .byte 1" ".data" "c: .byte 1" "d: .zero 9" "e:"
                                         "f = 5")))
  (test "of sections that touch, the one that begins there counts" '(#("x" #\D 65537 #f))
        (let ((image (vm-image-new)))
          (vm-image-add-section image "one" 65536 (u8vector 1) 1 3)
          (vm-image-add-section image "two" 65537 (u8vector 1) 1 3)
          (vm-image-add-symbol image "x" 65537)
          (binary-symbols image))))

(test-group "what the linker computes in an object"
  (define object
    (object-of "x: jump y" "imm r1, (+ 3 (address \"x\"))" "simm r1, y" "ldu8 r1, r2, x" "hcall r1, write" "1: jump 1b"
               "jump 1f" "1: nop" ".data" ".word x, y" ".uleb128 (- (address \"x\") (address \"z\"))"
               ".assert (< (address \"y\") 9), \"no\""))
  (test "each with its place, kind and value"
        '(#(0 0 "jump operand 1" "relative" "y")
          #(0 2 "imm operand 2" "unsigned" "x+3")
          #(0 5 "simm operand 2" "negated" "y")
          #(0 8 "ldu8 operand 3" "signed" "x")
          #(0 12 "hcall operand 2" "host call" "write")
          #(0 15 "jump operand 1" "relative" "1b")
          #(0 17 "jump operand 1" "relative" "1f")
          #(1 0 ".word" "data" "x")
          #(1 4 ".word" "data" "y")
          #(1 8 ".uleb128" "data" "x-z")
          #(1 9 ".assert operand 1" "data" "(< y 9)"))
        (map (lambda (relocation) (vector-map (lambda (x) x) relocation)) (object-relocations object)))
  (test "is shown as the source had it"
        (lines "section .text, 0x00000000, 20 bytes, r-x"
               "x:"
               "    0x00000000  0a00                  jump y"
               "    0x00000002  030100                imm r1, x+3"
               "    0x00000005  040100                simm r1, y"
               "    0x00000008  10010200              ldu8 r1, r2, x"
               "    0x0000000c  1e0100                hcall r1, write"
               "1:"
               "    0x0000000f  0a00                  jump 1b"
               "    0x00000011  0a00                  jump 1f"
               "1:"
               "    0x00000013  01                    nop"
               ""
               "section .data, 0x00000000, 9 bytes, rw-"
               "    0x00000000  00000000              .word x"
               "    0x00000004  00000000              .word y"
               "    0x00000008  00                    .uleb128 x-z"
               "    0x00000009                        .assert (< y 9), \"no\""
               "")
        (let ((shown (with-captured-output (lambda () (binary-disasm object)))))
          (substring shown (string-contains shown "section") (string-length shown)))))

(test-group "sizes count what a file has bytes for"
  (test "of an image" #(2 1 9) (binary-sizes (image-of-source "nop" ".rodata" ".byte 1" ".data" ".byte 1" ".zero 9")))
  (test "of an object, whose linked zeros at the end will be there" #(0 8 3)
        (binary-sizes (object-of ".data" ".quad x" ".zero 3"))))

(define (tables what . tables)
  (with-captured-output (lambda () (binary-objdump what tables))))

(test-group "tables"
  (define source
    '("(define-instruction (twice (to d) (from s)) \"R[a] := 2 * R[b]\" (add to from from))"
      "(define (step) (list (list addi r1 r1 1)))" ".global f" ".entry f" "f: twice r1, r2" "(step)" "hcall r1, write"
      ".data" "g: .quad f" "(view \"g\" 'u64)" "h = 5" "i = (+ 1 (address \"k\"))"))
  (define object (apply object-of source))
  (define image (apply image-of-source (reverse (cdr (reverse source)))))
  (test "the header of an object" "o.s: object\n\n  entry  f\n  host calls  write\n\n" (tables object 'header))
  (test "of an image" "binary: image\n\n  entry  0x00010000\n  host calls  write\n\n" (tables image 'header))
  (test "symbols of an object" (lines "o.s: object" "" "symbols" "  .text+0x00000000  global  f  o.s:5:1"
                                      "  .data+0x00000000  local  g  o.s:9:1" "  = 0x00000005  local  h  o.s:11:1"
                                      "  = k+1  local  i  o.s:12:1" "  undefined  global  k" "")
        (tables object 'symbols))
  (test "lines, expansions and views of an object"
        (lines "o.s: object" "" "lines" "  .text+0x00000000  o.s:5:4" "  .text+0x00000004  o.s:6:1"
               "  .text+0x00000008  o.s:7:1" "" "expansions" "  .text+0x00000004  in `step`, o.s:2:22" "" "views"
               "  g  u64" "")
        (tables object 'lines 'expansions 'views))
  (test "and of an image"
        (lines "binary: image" "" "lines" "  0x00010000  text:5:4" "  0x00010004  text:6:1" "  0x00010008  text:7:1"
               "" "expansions" "  0x00010004  in `step`, text:2:22" "" "views" "  g  u64" "")
        (tables image 'lines 'expansions 'views))
  (test "instructions" #t
        (and (string-contains (tables object 'instructions) "  twice ds = add a, b, b  ; R[a] := 2 * R[b]") #t))
  (test "the same of an image" (tables image 'instructions)
        (string-replace (tables object 'instructions) "o.s: object" "binary: image"))
  (test "a section with all that can be said of it"
        (lines "o.s: object" "" "sections: address, bytes in the file, bytes in memory, protection, name"
               "  0x00050000          1          4  r--  .t, keep" "")
        (tables (object-of ".section .t \"r\", 0x50000, keep" ".byte 1" ".zero 3") 'sections)))

(test-group "what is stripped does the same"
  (for-each
   (lambda (name)
     (let* ((object (asm-object-file (path-expand name examples)))
            (image (program-image (asm-file (path-expand name examples))))
            (bare (binary-strip object))
            (linked (lambda (object) (binary-strip (program-image (link-program (link (list object))))))))
       (test (text name ": the image has no tables, and the rest is as it was")
             (list (image-sections image) (image-imports image) (image-entry image) '() '() '() '())
             (let ((bare (->image (binary-strip image))))
               (list (image-sections bare) (image-imports bare) (image-entry bare)
                     (image-symbols bare) (image-lines bare) (image-expansions bare) (image-views bare))))
       (test (text name ": the object links to the same") #t
             (equal? (linked object) (linked (bytes->object bare name))))
       (test-assert (text name ": the object is smaller")
         (< (u8vector-length bare) (u8vector-length (object->bytes object))))
       (test (text name ": nothing is left to strip") #t
             (equal? bare (binary-strip (bytes->object bare name))))))
   (filter (lambda (name) (string-suffix? ".s" name)) (sort (directory-files examples) string<?)))
  (test "symbols of an object's own go, or lose their names" '("_start" ".L1" "f")
        (map object-symbol-name
             (vector->list
              (object-symbols
               (bytes->object (binary-strip (object-of ".global f" "_start: nop" "unused: nop" "a: nop"
                                                       ".equ b, (+ 1 (address \"a\"))" ".data" ".quad a, f" "f = 4"))
                              "x")))))
  (test "an instruction that the image defines stays" '(element)
        (map (lambda (row) (vector-ref row 0))
             (image-definitions
              (->image (binary-strip (image-of-source "(define-instruction (element (a d)) (addi a r0 1))"
                                                      "element r1")))))))

;; ---- sources -----------------------------------------------------------------------------------------

(define (program-content object)
  (let ((program (link-program (link (list object)))))
    (list (map (lambda (section)
                 (list (program-section-name section) (program-section-address section) (program-section-bytes section)
                       (program-section-memory-length section) (program-section-protection section)))
               (program-sections program))
          (program-symbols program) (program-imports program) (program-entry program) (program-views program))))

(define (test-source-of-object name object)
  (let* ((source (object->source object)) (again (asm-object-string source name: "again.s")))
    (test (text name ": what it links to") (program-content object) (program-content again))
    (test (text name ": its symbols") (binary-symbols object) (binary-symbols again))
    (test (text name ": its source once more") source (object->source again))))

(test-group "an object as a source"
  (test "labels, expressions, bytes"
    (lines "        .global f" "" "        .section \".text\", \"rx\"" "" "        .section \".data\", \"rw\"" ""
           "        .section \".text\", \"rx\"" "f:" "        call    r10, g" "        imm     r1, (+ 4 (address \"d\"))"
           "        imm     r2, (quotient (- (address \"d\") (address \"f\")) 2)" "1:" "        jump    1b"
           "        jump    2f" "        (begin (host \"write\") '())" "        hcall   r10, write" "2:" ""
           "        .section \".data\", \"rw\"" "d:" "        .quad   (+ 1 (address \"g\"))" ""
           "        .section \".text\", \"rx\"" "        add     r1, r2, r3" ""
           "        .section \".data\", \"rw\"" "        .byte   0x07" "        .zero   9")
    (string-replace
     (object->source
      (object-of ".global f" "f: call r10, g" "imm r1, (+ 4 (address \"d\"))"
                 "imm r2, (quotient (- (address \"d\") (address \"f\")) 2)" "7: jump 7b" "jump 7f" "hcall r10, write"
                 "7: add r1, r2, r3" ".data" "d: .quad (+ 1 (address \"g\"))" ".byte 7" ".zero 9"))
     "(+ (address \"d\") (- (address \"f\")))" "(- (address \"d\") (address \"f\"))"))
  (test-source-of-object "all kinds of parts"
    (object-of "(define-instruction (twice (to d) (from s)) (add to from from))" "(view \"pair\" '(record 8 (a u64)))"
               ".weak w" ".global f" "_start: w: twice r1, r2" "f: jump x" "x: jump .Lq" ".Lq: nop" "h = 5" "imm r1, h" "h = 6"
               "imm r1, h" ".equ i, (+ 1 (address \"d\"))" "(label! \"a b\")" "imm r2, (address \"a b\")"
               "(relocation (lambda () (here)) 4)" "jump 0x12345" ".byte 10, 2" ".align 16"
               ".assert (< (address \"f\") 0x100000), \"\\e \\\" far\"" "fimm r5, 1.5" "tget r1, t3" "simm r1, 7"
               ".entry f" ".data" "d: .quad f, i" ".uleb128 (- (address \"z\") (address \"f\"))" ".bss" "z: .zero 9"
               ".section keepme \"rw\", 0x90000, keep" ".zero 4"))
  (for-each
   (lambda (name)
     (test-source-of-object name
       (asm-object-file (path-expand (text "examples/" name ".s") (path-expand "../../" tests-folder)))))
   '("hello" "sieve" "wc")))

(test-group "programs of other formats"
  (define (hex-bytes string) (string->utf8 string))
  (let ((hex ":0301000003010ae6\n:00000001FF\n"))
    (test "become images" '("f.hex" (0 3 0))
      (let ((parts (binary-parts (string->utf8 ":03010000030105F3\n:0400000500000100F6\n:00000001FF\n") name: "f.hex")))
        (list (caar parts) (vector->list (binary-sizes (cdar parts))))))
    (test-error "what is wrong with them is told" "f.hex:1:" (binary-parts (hex-bytes hex) name: "f.hex"))))

(test-group "what is none of them"
  (test "bytes" (text "x: error: this is neither an image nor an object nor an archive; comet-vm asm makes them of "
              "sources\n")
        (errors-of (lambda () (->binary (u8vector 1 2 3) name: "x"))))
  (test "a file that is not there" "/nothing.o: error: there is no such file\n"
        (errors-of (lambda () (binary-parts "/nothing.o"))))
  (test "a folder" "/: error: this is a directory\n" (errors-of (lambda () (binary-nm "/"))))
  (test-error "something else" "a binary is an image, an object, an archive, bytes or a path, not 5" (->binary 5))
  (test "an image in an archive is damaged" #t
        (and (string-contains
              (errors-of (lambda ()
                           (let ((member (make-member "i" (u8vector #x89 67 77 84 13 10 26 10))))
                             (binary-parts (make-archive "a" (list member))))))
              "a(i): error: ")
             #t)))

(test "text that moves a terminal's cursor is shown without that" #t
  (let ((object (object-of "x: .assert (< (address \"x\") 1), \"\\e[2J\"")))
    (and (string-contains (with-captured-output (lambda () (binary-disasm object))) ".assert (< x 1), \"\xfffd;[2J\"")
         #t)))
