;; WebAssembly: variables of C programs from DWARF, as views.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/image)
(use scheme-lib/loaders/wasm/program)
(use scheme-lib/loaders/wasm/assemble)

;; Bytes of bytes, texts (which end in 0) and lists of them.
(define (bytes . parts)
  (u8vector-concatenate
   (map (lambda (part)
          (cond ((u8vector? part) part)
                ((string? part) (u8vector-append (string->utf8 part) (u8vector 0)))
                ((list? part) (apply bytes part))
                (else (u8vector part))))
        parts)))
(define (word n) (number->u8vector n 4))
(define (half n) (number->u8vector n 2))
(define (block . parts) (let ((content (bytes parts))) (bytes (u8vector-length content) content)))

;; (tag children? (attribute form) …), numbered from 1.
(define abbreviations
  (bytes
   (map (lambda (row number)
          (bytes number (car row) (if (cadr row) 1 0) (apply append (cddr row)) 0 0))
        '((#x11 #t (#x11 #x01))                                      ; 1 unit: low
          (#x24 #f (#x03 #x08) (#x3e #x0b) (#x0b #x0b))              ; 2 base type: name, encoding, size
          (#x2e #t (#x03 #x08) (#x11 #x01) (#x12 #x06) (#x40 #x18))  ; 3 function: name, low, length, frame base
          (#x05 #f (#x03 #x08) (#x49 #x13) (#x02 #x18))              ; 4 parameter: name, type, place
          (#x34 #f (#x03 #x08) (#x49 #x13) (#x02 #x17))              ; 5 variable: name, type, list of places
          (#x34 #f (#x03 #x08) (#x49 #x13) (#x1c #x0d))              ; 6 constant
          (#x0b #t (#x55 #x17))                                      ; 7 block: ranges
          (#x34 #f (#x03 #x08) (#x49 #x13) (#x02 #x18))              ; 8 variable: name, type, place
          (#x13 #t (#x03 #x08) (#x0b #x0b))                          ; 9 structure: name, size
          (#x0d #f (#x03 #x08) (#x49 #x13) (#x38 #x0b))              ; 10 member: name, type, offset
          (#x0d #f (#x03 #x08) (#x49 #x13) (#x0d #x0b) (#x0c #x0b) (#x38 #x0b)) ; 11 bits: and size, from the top, offset
          (#x0f #f (#x49 #x13))                                      ; 12 pointer
          (#x01 #t (#x49 #x13))                                      ; 13 array
          (#x21 #f (#x37 #x0b))                                      ; 14 its count
          (#x04 #t (#x0b #x0b))                                      ; 15 enumeration
          (#x28 #f (#x03 #x08) (#x1c #x0d))                          ; 16 one of its names
          (#x16 #f (#x03 #x08) (#x49 #x13))                          ; 17 typedef
          (#x13 #t (#x0b #x0b)))                                     ; 18 structure without a name
        (iota 18 1))
   0))

;; A unit, whose root is at offset 11 in it, and what is in the root from 16 on.
(define (unit . entries)
  (let ((content (bytes (half 4) (word 0) 4 1 (word 0) entries 0)))
    (bytes (word (u8vector-length content)) content)))

;; r1 is the parameter, r2 a local. Code begins at offset 2 of its section; the addition at 9 and the multiplication at
;; 16 make instructions.
(define (views-of info . sections) (apply views-with '() info sections))

;; The same with more instructions behind the multiplication's, which end at 19; the first makes an instruction.
(define (views-with more info . sections)
  (let ((image (wasm->image
                (wasm-assemble
                 `((type (i32) ()) (memory 1) (type () ())
                   (function 0 (i32)
                     (local.get 0) (i32.const 1) (i32.add) (local.set 1)
                     (local.get 1) (i32.const 2) (i32.mul) (local.set 0) ,@more (unreachable))
                   (export "f" function 0)
                   ,@(map (lambda (section) `(custom ,(car section) ,@(u8vector->list (cadr section))))
                          (append `((".debug_info" ,info) (".debug_abbrev" ,abbreviations)) sections)))))))
    (map (lambda (view) (list (vector-ref view 0) (vector-ref view 1))) (image-views image))))

(define int (bytes 2 "int" 5 4))                 ; at 16; 7 bytes
(define at-int (word 16))
(define function-length 19)
(define frame-base (block #xed 0 1 #x9f))        ; local 1

(define (function . entries) (bytes 3 "f" (word 2) (word function-length) frame-base entries 0))

(test-group "WebAssembly variables of functions"
  (test "are registers, memory on C's stack, and constants"
    '(("f" "(frame (in s32 0 14 (0 14 r1)) (kept s32 0 14 (0 14 (at r2 1048588))) (five s32 0 14 (0 14 (is 5))))"))
    (views-of (unit int (function (bytes 4 "in" at-int (block #xed 0 0 #x9f))
                                  (bytes 8 "kept" at-int (block #x91 12))
                                  (bytes 6 "five" at-int 5)))))
  (test "have places that hold for a while, by lists"
    '(("f" "(frame (there s32 0 14 (4 14 r2)))"))
    (views-of (unit int (function (bytes 5 "there" at-int (word 0))))
              `(".debug_loc" ,(bytes (word 12) (word 21) (half 4) #xed 0 1 #x9f (word 0) (word 0)))))
  (test "are known in their blocks alone, and those without a place by name"
    '(("f" "(frame (gone s32 4 14))"))
    (views-of (unit int (function (bytes 7 (word 0) (bytes 5 "gone" at-int (word 8)) 0)))
              `(".debug_ranges" ,(bytes (word 12) (word 21) (word 0) (word 0)))
              `(".debug_loc" ,(bytes (word 0) (word 0) (word 0) (word 0)))))
  ;; The operand at height 0 is made at 19, and is in r4 when the one above it is there.
  (test "may be on the operand stack, and are in its register from where that is sure"
    '("(frame (there s32 0 30 (15 23 r4)))" "(frame (there s32 0 29 (11 19 (is 9))))" "(frame (there s32 0 26))")
    (map (lambda (first length low high)
           (cadar (views-with `(,@first (local.get 1) (i32.const 3) (i32.add) (local.get 0) (i32.mul) (i32.mul) (local.set 0))
                              (unit int (bytes 3 "f" (word 2) (word length) frame-base (bytes 5 "there" at-int (word 0)) 0))
                              `(".debug_loc" ,(bytes (word low) (word high) (half 4) #xed 2 0 #x9f (word 0) (word 0))))))
         '(((local.get 0) (i32.eqz)) ((i32.const 9)) ((local.get 0)))
         '(33 32 32) '(22 21 21) '(30 29 29)))
  (test "that make no sense are none, and the program runs" '(() () () ())
    (map views-of
         (list (bytes 1 2 3)
               (unit int 99)
               (unit int (function (bytes 5 "there" at-int (word 5000))))
               (unit int (function (bytes 4 "in" at-int 200 1))))))
  (test "of a module that has a kind of entries with hundreds of attributes are none" '(1 0)
    (map (lambda (count)
           (length (views-of (unit int (function (bytes 4 "in" at-int (block #xed 0 0 #x9f))))
                             `(".debug_abbrev" ,(bytes 19 #x34 0 (map (lambda (n) (bytes 3 #x0b)) (iota count)) 0 0
                                                       abbreviations)))))
         '(100 101))))

;; int at 16, char at 23, then entries whose offsets are counted by hand below.
(define char (bytes 2 "char" 6 1))               ; at 23; 8 bytes
(define (variable name type) (bytes 8 name (word type) (block 3 (word 1024))))

(test-group "WebAssembly variables with an address"
  (test "have views by their types" '(("n" "s32") ("t" "(string 4)"))
    (views-of (unit int char (bytes 13 (word 23) 14 4 0) (variable "n" 16) (variable "t" 31))))
  (test "may be structures, which are views of their own"
    '(("s" "struct-node")
      ("struct-node"
       "(record 12 (value s32 0) (next (pointer struct-node u32 1048576) 4) (low (bits u32 (value 3)) 8) (high (bits u32 (_ 3) (value 5)) 8))"))
    (views-of
     (unit int
           (bytes 12 (word 28))                                                 ; 23: pointer to the structure
           (bytes 9 "node" 12                                                   ; 28
                  (bytes 10 "value" at-int 0) (bytes 10 "next" (word 23) 4)
                  (bytes 11 "low" at-int 3 29 8) (bytes 11 "high" at-int 5 24 8)
                  0)
           (variable "s" 28))))
  (test "pointers to characters are texts, those to functions numbers" '(("p" "(pointer string u32 1048576)"))
    (views-of (unit int char (bytes 12 (word 23)) (variable "p" 31))))
  (test "enumerations have names" '(("e" "(enum s32 (red 0) (blue 4))"))
    (views-of (unit int (bytes 15 4 16 "red" 0 16 "blue" 4 0) (variable "e" 23))))
  (test "a structure without a name is called as its typedef" '(("p" "struct-point") ("struct-point" "(record 4 (x s32 0))"))
    (views-of (unit int
                    (bytes 18 4 (bytes 10 "x" at-int 0) 0)                      ; 23
                    (bytes 17 "point" (word 23))                                ; 34
                    (variable "p" 34))))
  (test "types that go round in circles come to an end" '(("p" "(bytes 0)"))
    (views-of (unit int (bytes 17 "loop" (word 23)) (variable "p" 23)))))
