;; Listings; which line of a source, and which macros, made an instruction.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/machine)
(use scheme-lib/image)
(use asm/assembler)

(define (listing . source)
  (program-listing (asm-string (apply lines source) name: "t.s")))

(define macros
  (lines "(define (step r)"
         "  (list addi r r 1))"
         "(define (count-to n . registers)"
         "  (with-labels (again)"
         "    (list (label again)"
         "          (map step registers)"
         "          (list 'blti_s (car registers) n again))))"))

(define counting
  (string-append macros (lines "_start:" "        (count-to 5 r1 r2)" "        halt")))

(define (counting-program) (asm-string counting name: "t.s"))

(test-group "listings"
  (test "lines, addresses, bytes, and symbols"
        (lines "    1  0x00010000  03 01 05                 _start: imm r1, 5 ; five"
               "    2"
               "    3                                               .data"
               "    4  0x00020000  61 62                    a: .ascii \"ab\""
               ""
               "0x00010000  _start"
               "0x00020000  a")
        (listing "_start: imm r1, 5 ; five" "" "        .data" "a: .ascii \"ab\""))
  (test "bytes that are more than a row"
        (lines "    1  0x00010000  00 00 00 00 00 00 00 00  .zero 9"
               "       0x00010008  00"
               "")
        (listing ".zero 9"))
  (test "and those that are very many" "f ff\n       0x00010038  ff ff ff ff ff ff ff ff\n                                            … 1000 bytes in all\n\n"
        (let ((text (listing ".zero 1000, 255")))
          (substring text (- (string-length text) 113) (string-length text))))
  (test "what macros made stands below the line, with its place in the macro"
        (lines "    9                                               (count-to 5 r1 r2)"
               "    +  0x00010000  47 01 01 02              || addi r1, r1, 1  ; in `step`, t.s:2:3"
               "    +  0x00010004  47 02 02 02              || addi r2, r2, 1  ; in `step`, t.s:2:3"
               "    +  0x00010008  79 01 0a 0f              | blti_s r1, 5, 0x10000  ; in `count-to`, t.s:7:11"
               "   10  0x0001000c  7f                               halt"
               ""
               "0x00010000  _start"
               "0x00010000  again.1")
        (let ((text (program-listing (counting-program))))
          (substring text (string-contains text "    9  ") (string-length text))))
  (test "a form of several lines is shown line by line"
        (lines "    1                                       (list (list nop)"
               "    +  0x00010000  01                       | nop"
               "    2                                             (list nop))"
               "    +  0x00010001  01                       | nop"
               "")
        (listing "(list (list nop)" "      (list nop))"))
  (test "data that Scheme made is shown in bytes"
        (lines "    1                                       (list 1 300)"
               "    +  0x00010000  01 ac 02                 |"
               "")
        (let ((text (listing ".data" "(list 1 300)")))
          (string-replace (substring text (+ 1 (string-index text #\newline)) (string-length text)) "    2  " "    1  ")))
  (test "repeated lines stand as often as they were repeated; lines that are not taken have no bytes"
        (lines "    1                                       .rept 2"
               "    2  0x00010000  07                       .byte 7"
               "    3  0x00010001  08                       .byte 8"
               "    +  0x00010002  07                       .byte 7"
               "    +  0x00010003  08                       .byte 8"
               "    4                                       .endr"
               "    5                                       .if 0"
               "    6                                       .byte 9"
               "    7                                       .endif"
               "")
        (listing ".rept 2" ".byte 7" ".byte 8" ".endr" ".if 0" ".byte 9" ".endif"))
  (test "an included file stands behind its .include"
        (lines "    1                                       .include \"/tmp/comet-vm-test-included.s\""
               "    1  0x00010000  01                       nop"
               "    2                                       ; end"
               "    2  0x00010001  01                       nop"
               "")
        (begin
          (write-file-text "/tmp/comet-vm-test-included.s" "nop\n; end\n")
          (let ((text (listing ".include \"/tmp/comet-vm-test-included.s\"" "nop")))
            (delete-file "/tmp/comet-vm-test-included.s")
            text)))
  (test "to a file" #t
        (let ((path "/tmp/comet-vm-test.lst"))
          (program-write-listing (asm-string "nop") path)
          (let ((text (read-file-text path)))
            (delete-file path)
            (and (string-contains text "0x00010000  01") #t)))))

(test-group "what macros made"
  (test "the macros that led to each instruction, the outermost first"
        '(#(65536 "count-to" "t.s" 6 11) #(65536 "step" "t.s" 2 3)
          #(65540 "count-to" "t.s" 6 11) #(65540 "step" "t.s" 2 3)
          #(65544 "count-to" "t.s" 7 11))
        (program-expansions (counting-program)))
  (test "their line is that of the call"
        '((65536 9) (65540 9) (65544 9) (65548 10))
        (map (lambda (line) (list (vector-ref line 0) (vector-ref line 2)))
             (program-lines (counting-program))))
  (test "is in images" (program-expansions (counting-program))
        (image-expansions (->image (image->bytes (program-image (counting-program))))))
  (test "and is asked of a machine" '((("count-to" "t.s" 6 11) ("step" "t.s" 2 3))
                                      (("count-to" "t.s" 7 11))
                                      ())
        (let ((machine (make-machine)))
          (machine-load! machine (program-image (counting-program)))
          (map (lambda (address) (machine-expansions-at machine address)) '(65541 65546 65548))))
  (test "code of the text's own has lines of its own in a form of several lines"
        '((65536 1) (65537 2))
        (map (lambda (line) (list (vector-ref line 0) (vector-ref line 2)))
             (program-lines (asm-string (lines "(list (list nop)" "      (map (lambda (n) (list nop)) '(1)))")))))
  (test "data between instructions belongs to the line, not to the macro before it"
        '((65536 ("m")) (65537 ()) (65538 ("m")))
        (let ((machine (make-machine)))
          (machine-load! machine (program-image (asm-string (lines "(define (m) (list nop))" "(list (m) 5 (m))"))))
          (map (lambda (address) (list address (map car (machine-expansions-at machine address))))
               '(65536 65537 65538))))
  (test "code that is assembled over other code takes its macros away" '()
        (let ((machine (make-machine)))
          (machine-load! machine (program-image (counting-program)))
          (machine-map! machine #x10000 65536 'rwx)
          (asm-at! machine #x10000 "addi r1, r1, 1")
          (machine-expansions-at machine #x10000)))
  (test "a procedure that goes round keeps no calls, and none is lost in a long loop" 3000000
        (let ((program (asm-string (lines "(define (sum n) (let loop ((i 0) (s (list))) (if (= i n) i (loop (+ i 1) s))))"
                                          "(list '.equ \"n\" (sum 3000000))"))))
          (cdr (assoc "n" (program-symbols program)))))
  (test "quoted lists have the statement's place" '(#(65536 "t.s" 2 1))
        (program-lines (asm-string (lines "(define (m) '(nop))" "(m)") name: "t.s"))))
