;; What is disassembled and assembled again is the same.
(use scheme-lib/util)
(use scheme-lib/leb128)
(use scheme-lib/test)
(use scheme-lib/image)
(use vm-ext/gambit/vm)
(use asm/assembler)

;; All of an image but its source lines.
(define (content image)
  (list (image-sections image) (image-symbols image) (image-imports image) (image-entry image)))

;; Code that nothing reaches is warned of, and there is much of that here.
(define (again image)
  (program-image
   (parameterize ((current-error-port (open-output-string)))
     (asm-string (image->source image) name: "again.s"))))


(define (image-of section-bytes #!key (address #x10000) (symbols '()))
  (let ((image (vm-image-new)))
    (vm-image-add-section image "code" address section-bytes (u8vector-length section-bytes) 5)
    (for-each (lambda (symbol) (vm-image-add-symbol image (car symbol) (cdr symbol))) symbols)
    (vm-image-set-entry image address)
    image))

(define (same? image)
  (equal? (content image) (content (without-new-labels (again image) image))))

;; The names that places without one got are no part of what was there.
(define (without-new-labels image before)
  (let ((known (map (lambda (symbol) (vector-ref symbol 0)) (image-symbols before)))
        (copy (vm-image-new)))
    (for-each (lambda (section) (apply vm-image-add-section copy (vector->list section))) (image-sections image))
    (for-each (lambda (symbol)
                (if (or (member (vector-ref symbol 0) known)
                        (not (string-prefix? "L_" (vector-ref symbol 0))))
                    (vm-image-add-symbol copy (vector-ref symbol 0) (vector-ref symbol 1))))
              (image-symbols image))
    (for-each (lambda (name) (vm-image-add-import copy name)) (image-imports image))
    (vm-image-set-entry copy (image-entry image))
    copy))

;; ---- sources -----------------------------------------------------------------------------------------

(define examples-folder (path-expand "../../examples/" tests-folder))

(test-group "examples, disassembled and assembled again"
  (for-each
   (lambda (name)
     (test name #t (same? (program-image (asm-file (path-expand name examples-folder))))))
   (filter (lambda (name) (string-suffix? ".s" name)) (sort (directory-files examples-folder) string<?))))

(test-group "what a source from an image says"
  (test "labels are the image's, and new ones where there are none"
        (lines "        (begin (host \"write\") '())"
               "        .entry  0x00010000"
               "        .equ    size, 5"
               ""
               "        .section \".text\", \"rx\", 0x00010000"
               "_start:"
               "        imm     r1, 5"
               "L_00010003:"
               "        addi    r1, r1, -1"
               "        bnei    r1, 0, L_00010003"
               "        hcall   r10, write"
               "        jump    _start"
               ""
               "        .section \".data\", \"rw\", 0x00020000"
               "text:"
               "        .byte   0x61, 0x62"
               "        .zero   3")
        (image->source
         (program-image
          (asm-string (lines ".equ size, 5" "_start: imm r1, size" "1: addi r1, r1, -1" "bnei r1, 0, 1b" "hcall r10, write"
                             "jump _start" ".data" "text: .ascii \"ab\"" ".zero 3")))))
  (test "a longer encoding is written as bytes" #t
        (and (string-contains (image->source (image-of (u8vector 51 129 0 2 3))) ".byte   0x33, 0x81, 0x00, 0x02, 0x03  ; add r1, r2, r3")
             #t))
  (test "and what is no instruction" #t
        (and (string-contains (image->source (image-of (u8vector 255 255))) ".byte   0xff") #t))
  (test "names that no label can have" #t
        (same? (image-of (u8vector 1 1 1) symbols: '(("two words" . #x10001) ("r5" . #x10002) (" 5" . 9) ("größe" . #x10000)))))
  (test "names within an instruction and at the end" #t
        (same? (image-of (u8vector 51 1 2 3) symbols: '(("inside" . #x10002) ("end" . #x10004)))))
  (test "sections elsewhere, with room, and names there" #t
        (same? (program-image (asm-string (lines ".section a \"rw\", 0x7fff0000" "x: .quad 1" ".zero 100" "y: .zero 5" "z:"
                                                 ".byte 0" ".section b \"rx\", 0x123456" "jump x" ".bss" "w: .zero 9" "v:")))))
  (test "sections that touch, with names where they do" #t
        (let ((image (image-of (u8vector 10 6 1) symbols: '(("end" . #x10003) ("z" . #x10007) ("_" . #x10005)))))
          (vm-image-add-section image "more" #x10003 (u8vector 10 5 1 1) 4 5)
          (vm-image-add-section image "none" #x10007 (u8vector) 0 5)
          (vm-image-add-section image "last" #x10007 (u8vector 1) 3 5)
          (equal? (remove (lambda (section) (= 0 (vector-ref section 3))) (image-sections image))
                  (image-sections (again image)))))
  (test "real numbers, whatever their bits" #t
        (same? (program-image (asm-string (lines "fimm r1, 1.5" "fimm r1, (bits 0x7ff8000000000001)" "fimm32 r2, -0.1"
                                                 "simm r1, 7" "imm r1, 0xffffffffffffffff"))))))

;; ---- random code -------------------------------------------------------------------------------------

(define random-number (let ((source (make-random-source))) (random-source-pseudo-randomize! source 3 4)
                        (random-source-make-integers source)))

(define (pick list) (list-ref list (random-number (length list))))

;; A ULEB128 number of so many bytes more than it needs.
(define (padded n more)
  (let ((bytes (make-u8vector (+ more (uleb128-length n)))))
    (uleb128-put! bytes 0 n (u8vector-length bytes))
    (u8vector->list bytes)))

(define (random-field kind)
  (case kind
    ((#\p) (random-number (pick '(64 300 20000))))
    ((#\d #\s #\x #\w) (random-number (pick '(16 300))))
    ((#\t #\c #\h) (random-number 16))
    ((#\f) (random-number (expt 2 64)))
    ((#\g) (random-number (expt 2 32)))
    (else (random-number (expt 2 (pick '(3 7 14 32 64)))))))

(define instructions (vector->list (vm-isa)))

;; Instructions that programs define are among them, too.
(define own-instructions
  (program-image
   (asm-string (lines "(define-instruction (element (to d) (base s) (index s)) (shli to index 3) (add to base to))"
                      "(define-instruction (count (r x) (n i -3 300)) (addi r r n))"
                      "(define-instruction (near (to d) (place p)) (imm to 5) (jump place))"
                      "element r1, r2, r3" "count r1, 5" "1: near r1, 1b"))))

(define (random-instruction padding)
  (let ((row (pick (if (= 0 (random-number 8)) (image-definitions own-instructions) instructions))))
    (append-map (lambda (field) (padded field (if (= 0 (random-number 4)) (random-number (+ 1 padding)) 0)))
                (cons (vector-ref row 1)
                      (map random-field (string->list (text (vector-ref row 2))))))))

(define (random-code padding)
  (list->u8vector (append-map (lambda (i) (random-instruction padding)) (iota (+ 1 (random-number 80))))))

(define (random-bytes)
  (list->u8vector (map (lambda (i) (random-number 256)) (iota (+ 1 (random-number 200))))))

(define (all-same? count make)
  (let loop ((i 0))
    (or (= i count)
        (let ((bytes (make)))
          (if (same? (image-with-definitions bytes)) (loop (+ i 1)) bytes)))))

(define (image-with-definitions bytes)
  (let ((image (image-of bytes)))
    (for-each (lambda (row)
                (vm-image-add-instruction image (symbol->string (vector-ref row 0)) (vector-ref row 1)
                                          (vector-ref row 2) (vector-ref row 3) (vector-ref row 4)))
              (image-definitions own-instructions))
    image))

;; Jumps whose targets are at the edge of what a byte more is needed for, between which others stand.
(define (tight-jumps)
  (list->u8vector
   (append-map (lambda (i) (if (= 0 (random-number 3)) '(1) (cons 10 (padded (random-number 256) 0))))
               (iota 150))))

(test-group "random code, disassembled and assembled again"
  (test "valid instructions" #t (all-same? 12 (lambda () (random-code 0))))
  (test "in encodings longer than they need be" #t (all-same? 12 (lambda () (random-code 3))))
  (test "any bytes" #t (all-same? 12 random-bytes))
  (test "jumps that could be shorter if others were" #t (all-same? 12 tight-jumps)))
