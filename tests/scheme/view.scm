;; Views of memory, without a debugger: descriptions, places, values, what hostile ones may do.

(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/test-property)
(use scheme-lib/generator)
(use scheme-lib/machine)
(use scheme-lib/image)
(use scheme-lib/view)
(use scheme-lib/view-text)
(use vm-ext/gambit/vm)
(use asm/assembler)
(use debugger/session)
(use debugger/views)
(use debugger/program)
(use debugger/run)

(define memory (make-u8vector 256 0))
(define views
  (map (lambda (text) (let ((view (text->view text))) (view-check (cadr view)) (cons (car view) (cadr view))))
       '("(point (record (x s16) (y s16)))"
         "(self (record (a self)))"
         "(a (pointer b))" "(b (pointer a))"
         "(counted (record (n u8) (items (array n (record (k u8) (name (string u8)))))))")))

(define world
  (make-view-world
   (lambda (address length)
     (and (<= (+ address length) 256) (subu8vector memory address (+ address length))))
   (lambda (address bytes) (subu8vector-move! bytes 0 (u8vector-length bytes) memory address))
   (lambda (name) (assq-value name views))
   hex-address))

(define (place view address) (view-place world view address))

(define (with-bytes bytes view)
  (set! memory (make-u8vector 256 0))
  (subu8vector-move! bytes 0 (u8vector-length bytes) memory 0)
  (place view 0))

(define (line view) (tree->line (view-tree view)))

(test-group "values"
  (test "of little and big endian" '(513 258)
        (list (view-value (with-bytes '#u8(1 2) 'u16)) (view-value (with-bytes '#u8(1 2) '(big u16)))))
  (test "little inside of big" '((a . 258) (b . 1027))
        (view-value (with-bytes '#u8(1 2 3 4) '(big (record (a u16) (b (little u16)))))))
  (test "with a sign" '(-1 -1 255) (map (lambda (view) (view-value (with-bytes '#u8(255 255) view))) '(s8 s16 u8)))
  (test "of a char, a bool, an address" '(#\A #t 1)
        (list (view-value (with-bytes '#u8(65) 'char)) (view-value (with-bytes '#u8(2) 'bool))
              (view-value (with-bytes '#u8(1) 'address))))
  (test "of an enum, named or not" '(red 7)
        (map (lambda (byte) (view-value (with-bytes (u8vector byte) '(enum u8 (red 3))))) '(3 7)))
  (test "of bits" '((low . 5) (high . 1))
        (view-value (with-bytes '#u8(#b10010101) '(bits u8 (low 3) (_ 4) (high 1)))))
  (test "of elements whose sizes differ" '((n . 2) (items ((k . 9) (name . "abc")) ((k . 8) (name . "")))) 
        (view-value (with-bytes '#u8(2 9 3 97 98 99 8 0) 'counted)))
  (test "of bytes that are shown" "01 02" (line (with-bytes '#u8(1 2) '(bytes 2))))
  (test "in another base" '("0x1f" "-0x1" "0b101")
        (list (line (with-bytes '#u8(31) '(hex u8))) (line (with-bytes '#u8(255) '(hex s8)))
              (line (with-bytes '#u8(5) '(binary u8)))))
  (test "of text that is no UTF-8" "\xFFFD;" (view-value (with-bytes '#u8(255 0) 'string)))
  (test "at offsets" '((a . 7) (b . 1)) (view-value (with-bytes '#u8(1 0 7) '(record 9 (a u8 2) (b u8 0)))))
  (test "sizes" '(9 3 8 4)
        (map (lambda (view) (view-size (with-bytes '#u8(0) view)))
             '((record 9 (a u8 2)) (record (a u8 2)) (pointer u8) (array 2 u16)))))

(test-group "setting"
  (define (set view value part)
    (let ((place (with-bytes '#u8(1 2 3 4 5 6 7 8) view)))
      (view-set! (if part (view-part place part) place) value)
      (subu8vector memory 0 8)))
  (test "a number, in its order" '#u8(1 0 3 4 5 6 7 8) (set '(big u16) 256 #f))
  (test "a number below 0" '#u8(254 255 3 4 5 6 7 8) (set 's16 -2 #f))
  (test "a part of bits, and no other" '#u8(#b00110001 2 3 4 5 6 7 8) (set '(bits u8 (a 4) (b 4)) 3 'b))
  (test "bytes" '#u8(9 9 3 4 5 6 7 8) (set '(bytes 2) '#u8(9 9) #f))
  (test "a string behind its length" '#u8(1 97 3 4 5 6 7 8) (set '(string u8) "a" #f))
  (test "a string in its room" '#u8(97 0 0 4 5 6 7 8) (set '(string 3) "a" #f))
  (test "a char and a bool" '(#u8(65 2) #u8(0 2))
        (list (subu8vector (set 'char #\A #f) 0 2) (subu8vector (set 'bool #f #f) 0 2)))
  (test "an address and a pointer" '(#u8(9 0 0 0 0 0 0 0) #u8(9 0 0 0 5 6 7 8))
        (list (set 'address 9 #f) (set '(pointer u8 u32) 9 #f)))
  (test-error "what is no string" "5 is no string" (set '(string 3) 5 #f))
  (test-error "bytes of another length" "a u8vector of 2 bytes is expected" (set '(bytes 2) '#u8(1) #f))
  (test-error "an enum's names are few" "there is no `gren` (did you mean `green`?); there are red, green"
    (set '(enum u8 (red 0) (green 1)) 'gren #f))
  (test-error "a record has no value" "this cannot be set as a whole; its parts can" (set '(record (a u8)) 1 #f)))

(test-property "a number that is set is read back" ((number (gen-integer)) (big? (gen-boolean)) (size (gen-choice 8 4 2 1)))
  (let ((view (list (if big? 'big 'little) (assq-value size '((1 . s8) (2 . s16) (4 . s32) (8 . s64)))))
        (number (quotient number (expt 2 (- 64 (* 8 size))))))
    (let ((place (with-bytes '#u8() view)))
      (view-set! place number)
      (= number (view-value place)))))

(test-group "what cannot be"
  (test-error "a record that holds itself" "views are more than 64 deep in each other" (view-value (place 'self 0)))
  (test "views that point to each other are looked at once" "0" (line (with-bytes '#u8() 'a)))
  (test-error "a name of nothing" "there is no view `nothing`" (view-value (place 'nothing 0)))
  (test-error "a name that means itself" "deep in each other" (view-value (view-place (make-view-world #f #f (lambda (name) name) #f) 'x 0)))
  (test-error "memory that is not there" "memory at 0x00000200 cannot be read" (view-value (place 'u8 512)))
  (test-error "a list without an end" "the list has no end that can be come to: back to [0]: a cycle"
    (begin (with-bytes '#u8(0 0 0 0 0 0 0 0 8) 'u8) (view-value (place '(list n (record (n u64))) 8))))
  (test-error "a link that is none" "that can be come to: `n` holds \"\", which is no address"
    (begin (with-bytes '#u8(0) 'u8) (view-value (place '(list n (record (n string))) 8))))
  (test-error "a tag of another kind" "`t` is 9, for which the union has nothing"
    (view-value (with-bytes '#u8(9) '(record (t u8) (u (union t (1 u8)))))))
  (test-error "a count that is nowhere, of a description that nobody checked" "there is no field `n` before this one"
    (view-value (place '(array n u8) 0)))
  (test-error "a part of what has none" "this has no part `a`" (view-part (place 'u8 0) 'a))
  (test-error "a string too long to be one" "a string of 4294967295 bytes is too long to be one"
    (view-value (with-bytes '#u8(255 255 255 255) '(string u32))))
  (test-error "too many steps" "the view is too large: looking at it took 20000 steps"
    (view-value (place '(array 4000000000 (array 0 u8)) 0))))

(test-group "descriptions as text"
  (test "there and back" "(record 8 (a u8) (b (pointer b) -1))" (view->text (text->view " (record 0x8 (a\tu8)(b (pointer b) -1)) ")))
  (for-each
   (lambda (text part) (test-error text part (view-check (text->view text))))
   (list "" "(" ")" "u8 u8" "#(1)" "\"a\"" "(a . b)" "()" "5" "(1 2)" (make-string 300 #\a) (make-string 70000 #\space)
         (string-append (make-string 102 #\() (make-string 102 #\)))
         (string-append (string-repeat "(pointer " 70) "u8" (make-string 70 #\))))
   (list "it ends too early" "it ends too early" "a parenthesis closes too early" "something follows it"
         "is neither a name nor an integer" "is neither a name nor an integer" "there is no kind of views `a`"
         "a view is a name or (KIND ...)" "a view is a name" "a view is a name" "a name is too long"
         "it is longer than 65535 characters" "it is nested more than 100 deep" "this is nested more than 64 deep")))

;; Whatever text and memory say, the end is a value or an error, and soon.
(define word (gen-choice "u8" "(" ")" "record" "array" "pointer" "list" "union" "bits" "enum" "string" "n" "(n u8)" "3" "-1" "big"
                         "self" "a" "else" "bytes" "hex" "4294967296" "(array 4294967296 " "(record (n u8) " "(next (pointer a))"))
(test-property "hostile descriptions of hostile memory give an error or a value"
    ((words (gen-list word 1 12)) (bytes (gen-u8vector 0 60)))
  count: 400
  (with-exception-catcher
   (lambda (exception) (string? (exception->text exception)))
   (lambda ()
     (let* ((text (string-join words))
            (view (text->view (string-append text (make-string (max 0 (- (length (filter (lambda (c) (char=? c #\()) (string->list text)))
                                                                       (length (filter (lambda (c) (char=? c #\))) (string->list text))))) #\))))))
       (view-check view)
       (let ((place (with-bytes bytes view)))
         (list? (tree->lines "x" (view-tree place) 60)))))))

;; ---- in images ---------------------------------------------------------------------------------------

(define (image-with . views)
  (let ((image (vm-image-new)) (path (temporary-path "comet-views")))
    (vm-image-add-section image ".text" #x10000 '#u8(127) 1 5)
    (vm-image-add-symbol image "here" #x10000)
    (vm-image-set-entry image #x10000)
    (for-each (lambda (view) (vm-image-add-view image (car view) (cdr view))) views)
    (image-write-file image path)
    path))

(test-group "views in images"
  (define program (asm-string "(view 'table '(array 2 u16)) (view \"ünit\" 'u8)
_start: halt
table: .half 1, 2" name: "views.s"))
  (test "are what the source says, by name" '(#("table" "(array 2 u16)") #("ünit" "u8")) (image-views (program-image program)))
  (test "are in the file" '(#("table" "(array 2 u16)") #("ünit" "u8")) (image-views (->image (image->bytes (program-image program)))))
  (test-error "a mistake has its place" "views.s:2:1: error: the view of `x`: `(record a)`: its fields are written"
    (asm-string "\n(view 'x '(record a))" name: "views.s"))
  (test-error "a name has one" "`x` has another view already: u8" (asm-string "(view 'x 'u8) (view 'x 'u16)"))
  (test-error "of a bounded length" "is too long: its text has more than 65535 bytes"
    (asm-string "(view 'x (cons 'record (map (lambda (n) (list (string->symbol (number->string (+ n 100000))) 'u8)) (iota 9000))))"))

  (parameterize ((current-session (new-session)))
    (let ((path (image-with (cons "here" "(record (a")  (cons "loop" "loop") (cons "other" "(recrod)"))))
      (load-program! path)
      (delete-file path)
      (test-error "that make no sense are errors when they are asked for"
        "the view `here` in the program's image: this is no description of a view: it ends too early"
        (word->view-place "here" (lambda (word) 0)))
      (test-error "each by itself" "there is no kind of views `recrod`" (view-named "other"))
      (test-error "one that means itself too" "deep in each other" (view-value (memory-view-place 'loop 0)))
      (test "a number is looked at as a register is" 5 (view-value (value-view-place 'u8 261)))
      (test-error "but cannot be set" "a number cannot be set" (view-set! (value-view-place 'u8 261) 1))
      (test "while others are as good as ever" '(here loop other) (map string->symbol (view-definitions))))))
