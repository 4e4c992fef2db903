;; Views: memory seen as what it holds. A view is described by data, so that a program's author can ship it in
;; an image, and reading it is bounded, whatever description and memory say.
;;
;;   u8 u16 u32 u64 s8 s16 s32 s64             integers, little-endian
;;   char bool address                         a byte that is a character, a byte, 8 bytes shown with their symbol
;;   (hex u32) (binary u8)                     an integer, shown in another base
;;   string (string 16) (string u16)           up to a zero byte; in so many bytes; behind its length
;;   (bytes 16)                                bytes
;;   (enum u8 (red 0) (green 1))               names of an integer
;;   (bits u16 (ready 1) (mode 3) (_ 4) …)     parts of an integer from its lowest bit on; _ is not shown
;;   (pointer VIEW [u32 [BASE]])               the address of what VIEW describes, which may count from BASE
;;   (array COUNT VIEW)                        COUNT: a number, or an earlier field of the record around
;;   (record [SIZE] (name VIEW [OFFSET]) …)    fields, one behind the other where no offset is said
;;   (union FIELD (WHEN VIEW) … (else VIEW))   what an earlier field decides: WHEN is a number or a name of its enum
;;   (list NEXT VIEW)                          what begins here and is linked by the field NEXT, up to 0
;;   (big VIEW) (little VIEW)                  the order of bytes in VIEW
;;   NAME                                      another view
;;
;;   (define world (make-view-world read write! find address->text))
;;   (define place (view-place world 'node #x20000))
;;   (view-value (view-part place 'next))             => 131104
;;   (view-set! (view-part place 'value) 5)
;;
;; Kinds of views are a table: define-simple-view! and define-view-kind! add rows.

(module scheme-lib/view)
(use scheme-lib/util)
(declare (block))

;; fatal?: it is not shown in the place of a part, because the whole is too much.
(define-type view-error
  constructor: make-view-error
  message fatal?)

(define (fail . parts) (raise (make-view-error (apply text parts) #f)))
(define (fail-whole . parts) (raise (make-view-error (apply text parts) #t)))

;; What thunk gives, or, where a part cannot be looked at, what `instead` makes of the message.
(define (unless-failed thunk instead)
  (with-exception-catcher
   (lambda (exception)
     (if (and (view-error? exception) (not (view-error-fatal? exception)))
         (instead (view-error-message exception))
         (raise exception)))
   thunk))
(exception-text! view-error? view-error-message)

;; Where places are. read: address length -> u8vector, or #f where memory is missing; write!: address bytes;
;; find: name (a symbol) -> description or #f; address->text: what people call an address.
(define-type view-world
  constructor: construct-world
  read write! find address->text
  (steps)  ; how many are left of those that one look may take
  (shown)  ; how many elements of those that it may show
  sizes)   ; table: view -> its size, where that does not depend on memory, else #f

(define (make-view-world read write! find address->text)
  (construct-world read write! find address->text 0 0 (make-table test: eq?)))

;; A view at an address. big?: the order of bytes; scope: the records around, places, the innermost first;
;; depth: how many views it is inside of.
(define-type view-place
  constructor: construct-place
  world view address big? scope depth)

(define-documented view-element-limit
  "A parameter: how many elements of arrays and lists one look shows in all, and four times as many characters of
a string."
  (make-parameter 64))

(define-documented view-step-limit
  "A parameter: how many steps looking at one place may take; no description and no memory makes it more."
  (make-parameter 20000))

(define deepest 64)

(define-documented (view-place world view address)
  "The place that VIEW describes at ADDRESS. What is asked of it may take view-step-limit steps."
  (refresh-world! world)
  (construct-place world view address #f '() 0))

(define (step! place)
  (let* ((world (view-place-world place)) (left (- (view-world-steps world) 1)))
    (if (< left 0) (fail-whole "the view is too large: looking at it took " (view-step-limit) " steps"))
    (view-world-steps-set! world left)))

(define (inside place view address #!optional (scope (view-place-scope place)) (big? (view-place-big? place)))
  (let ((depth (+ 1 (view-place-depth place))))
    (step! place)
    (if (> depth deepest)
        (fail-whole "views are more than " deepest " deep in each other: does `" (shown-view view) "` hold itself?"))
    (construct-place (view-place-world place) view (u64 address) big? scope depth)))

;; ---- kinds -----------------------------------------------------------------------------------------

;; check: (view names) -> nothing, or fails; names are the fields of the records around, which are earlier
;; size, value, tree: of a place; write!: place value; part: place selector -> place. #f where it has none.
(define-type view-kind
  constructor: make-view-kind
  name scalar? check size value tree write! part)

(define kinds (make-table test: eq?))

(define-documented (define-view-kind! name #!key (scalar? #f) check size value tree (write! #f) (part #f))
  "Adds a kind of views, written NAME or (NAME ...). CHECK gets the description and the names of earlier fields;
SIZE, VALUE and TREE a place; WRITE! a place and a value; PART a place and a name or index. A tree is a text, or
(fields (label . tree) ...), (elements tree ...) or (behind text tree)."
  (table-set! kinds name (make-view-kind name scalar? check size value tree write! part)))

(define (head view) (if (pair? view) (car view) view))
(define (kind-of-view view) (table-ref kinds (head view) #f))
(define (builtin-view? view) (and (kind-of-view view) #t))
(define (view-names) (sort (map symbol->string (delete 'bits-part (map car (table->list kinds)))) string<?))

(define (shown-view view)
  (let ((string (written view)))
    (if (> (string-length string) 60) (string-append (substring string 0 57) "...") string)))

(define (bad view . parts) (fail "`" (shown-view view) "`: " (apply text parts)))

;; Kinds that may stand without parentheses.
(define bare '())

(define-documented (view-check view #!optional (names '()))
  "Raises a view-error where VIEW is no description of a view; names of other views are not looked up."
  (check view names 0))

(define check-depth (make-parameter 0))

(define (check view names #!optional (depth (check-depth)))
  (if (> depth deepest) (bad view "this is nested more than " deepest " deep"))
  (parameterize ((check-depth (+ depth 1)))
    (cond ((symbol? view)
           (if (and (kind-of-view view) (memq view bare)) ((view-kind-check (kind-of-view view)) view names)))
          ((and (pair? view) (list? view) (symbol? (car view)))
           (let ((kind (kind-of-view view)))
             (if (not kind)
                 (bad view "there is no kind of views `" (car view) "`" (did-you-mean (car view) (view-names))
                      "; there are " (string-join (view-names) ", ")))
             ((view-kind-check kind) view names)))
          (else (bad view "a view is a name or (KIND ...)")))))

;; The place with names of other views replaced by what they mean. A view that is named does not see the
;; records around.
(define (resolved place)
  (let ((view (view-place-view place)))
    (if (or (pair? view) (memq view bare))
        place
        (let ((found ((view-world-find (view-place-world place)) view)))
          (if (not found) (fail "there is no view `" view "`"))
          (resolved (inside place found (view-place-address place) '() #f))))))

;; As the procedures of kinds, for any place. Names go first.
(define (ask place what)
  (let* ((place (resolved place)) (kind (kind-of-view (view-place-view place))))
    (if (not kind) (bad (view-place-view place) "there is no such kind of views"))
    (values place (what kind))))

(define (size-of place)
  (or (static-size (view-place-world place) (view-place-view place))
      (receive (place size) (ask place view-kind-size) (size place))))
(define (value-of place)
  (receive (place value) (ask place view-kind-value) (value place)))
(define (tree-of place)
  (receive (place tree) (ask place view-kind-tree) (tree place)))

(define (refresh-world! world)
  (view-world-steps-set! world (view-step-limit))
  (view-world-shown-set! world (view-element-limit)))

(define (refresh! place) (refresh-world! (view-place-world place)))

;; Whether one more element may be shown.
(define (room? place)
  (let* ((world (view-place-world place)) (left (- (view-world-shown world) 1)))
    (view-world-shown-set! world left)
    (>= left 0)))

(define-documented (view-size place)
  "How many bytes the place has."
  (refresh! place)
  (size-of place))

(define-documented (view-value place)
  "What the place holds: a number, a character, a boolean, a string, a u8vector, a symbol (of an enum), a list
of elements, or of (field . value)."
  (refresh! place)
  (value-of place))

(define-documented (view-scalar? place)
  "Whether the place is as small as a register: a number, an address, an enum, bits, a character."
  (receive (place scalar?) (ask place view-kind-scalar?) scalar?))

(define-documented (view-set! place value)
  "Gives the place another value, of the kind that view-value gives."
  (refresh! place)
  (view-write! place value))

(define-documented (view-choices place)
  "The names that an enum, or a part of bits, can be set to; () for other places."
  (let* ((place (resolved place)) (view (view-place-view place)))
    (case (head view)
      ((enum) (map car (cddr view)))
      ((bits-part) (map car (cdddr (caddr view))))
      ((big little) (view-choices (inside place (cadr view) (view-place-address place))))
      (else '()))))

(define-documented (view-target place)
  "What a pointer points to, as a place; #f for what is no pointer, or points nowhere."
  (let ((place (resolved place)))
    (and (eq? (head (view-place-view place)) 'pointer)
         (let ((address (value-of place)))
           (and (not (= address 0)) (inside place (cadr (view-place-view place)) address '() #f))))))

(define-documented (view-part place selector)
  "The field (a symbol) or element (an index) of a place. Pointers on the way are followed."
  (let* ((place (resolved place)) (kind (kind-of-view (view-place-view place))))
    (cond ((view-kind-part kind) ((view-kind-part kind) place selector))
          ((eq? (head (view-place-view place)) 'pointer)
           (view-part (or (view-target place)
                          (fail "the pointer at " (place-text place) " is 0, so it has no `" selector "`"))
                      selector))
          (else (bad (view-place-view place) "this has no part `" selector "`")))))

(define-documented (view-tree place)
  "What the place holds, for people: a text, (fields (label . tree) ...), (elements tree ...) or
(behind text tree). A pointer at the top is followed; inside, only those to what is short."
  (refresh! place)
  (let ((place (resolved place)))
    (if (eq? (head (view-place-view place)) 'pointer) (pointer-tree place #t) (tree-or-error place))))

;; What cannot be read stands where its value would.
(define (in-place-of-value message) (text "<" message ">"))
(define (tree-or-error place) (unless-failed (lambda () (tree-of place)) in-place-of-value))

;; ---- sizes that do not depend on memory ------------------------------------------------------------

;; Of a view, or #f. Each is worked out once; while that is under way it has none, so that one that holds itself
;; has none either.
(define (static-size world view)
  (let* ((sizes (view-world-sizes world)) (known (table-ref sizes view 'unknown)))
    (if (not (eq? known 'unknown))
        known
        (begin
          (table-set! sizes view #f)
          (let ((size (work-out-size world view)))
            (table-set! sizes view size)
            size)))))

(define (work-out-size world view)
  (define (size-of-view view) (static-size world view))
  (define (all-sizes views)
    (let ((sizes (map size-of-view views))) (and (not (memq #f sizes)) sizes)))
  (cond ((memq view bare) (and (not (eq? view 'string)) ((view-kind-size (kind-of-view view)) #f)))
        ((symbol? view) (let ((found ((view-world-find world) view))) (and found (size-of-view found))))
        (else
         (case (car view)
           ((enum bits bits-part hex binary) (integer-size (cadr view)))
           ((pointer) (pointer-size view))
           ((bytes string) (and (pair? (cdr view)) (integer? (cadr view)) (cadr view)))
           ((big little) (size-of-view (cadr view)))
           ((array)
            (let ((size (and (integer? (cadr view)) (size-of-view (caddr view))))) (and size (* (cadr view) size))))
           ((record)
            (if (integer? (cadr view))
                (cadr view)
                (let loop ((fields (record-fields view)) (offset 0) (end 0))
                  (if (null? fields)
                      end
                      (let ((start (if (pair? (cddr (car fields))) (caddr (car fields)) offset))
                            (size (size-of-view (cadr (car fields)))))
                        (and size (loop (cdr fields) (+ start size) (max end (+ start size)))))))))
           ((union) (let ((sizes (all-sizes (map cadr (cddr view))))) (and sizes (fold max 0 sizes))))
           ((list) (size-of-view (caddr view)))
           (else #f)))))

;; ---- memory ----------------------------------------------------------------------------------------

(define (place-text place) ((view-world-address->text (view-place-world place)) (view-place-address place)))

(define (memory-missing place) (fail "memory at " (place-text place) " cannot be read"))

(define (bytes-at place length)
  (or ((view-world-read (view-place-world place)) (view-place-address place) length)
      (memory-missing place)))

(define (write-bytes! place bytes)
  ((view-world-write! (view-place-world place)) (view-place-address place) bytes))

(define (reversed bytes) (list->u8vector (reverse (u8vector->list bytes))))

(define (in-order place bytes) (if (view-place-big? place) (reversed bytes) bytes))

(define (read-number place size) (u8vector->number (in-order place (bytes-at place size))))
(define (write-number! place size number) (write-bytes! place (in-order place (number->u8vector number size))))

(define (signed number size)
  (if (< number (expt 2 (- (* 8 size) 1))) number (- number (expt 2 (* 8 size)))))

;; ---- simple kinds ----------------------------------------------------------------------------------

(define (no-arguments view names)
  (if (pair? view) (bad view "`" (car view) "` takes nothing")))

(define-documented (define-simple-view! name size bytes->value #!optional (value->bytes #f) (value->text written))
  "Adds a kind of views of SIZE bytes: BYTES->VALUE reads the bytes (little-endian), VALUE->BYTES makes them,
or is #f where the place is not to be set; VALUE->TEXT shows the value."
  (define (value place) (bytes->value (in-order place (bytes-at place size))))
  (set! bare (cons name bare))
  (define-view-kind! name scalar?: (<= size 8)
    check: no-arguments
    size: (lambda (place) size)
    value: value
    tree: (lambda (place) (value->text (value place)))
    write!: (and value->bytes
                 (lambda (place value) (write-bytes! place (in-order place (value->bytes value)))))))

;; name -> (size . signed?)
(define integers
  '((u8 1 . #f) (u16 2 . #f) (u32 4 . #f) (u64 8 . #f) (s8 1 . #t) (s16 2 . #t) (s32 4 . #t) (s64 8 . #t)))

(define (integer-size name) (cadr (assq name integers)))

(define (check-integer name value size)
  (let ((bits (* 8 size)))
    (if (not (and (integer? value) (exact? value) (<= (- (expt 2 (- bits 1))) value (- (expt 2 bits) 1))))
        (fail (written value) " does not fit: " name " holds an integer from -2^" (- bits 1) " to 2^" bits "-1"))
    value))

(define (add-integer! name size signed?)
  (define-simple-view! name size
    (lambda (bytes) (let ((number (u8vector->number bytes))) (if signed? (signed number size) number)))
    (lambda (value) (number->u8vector (check-integer name value size) size))
    number->string))

(for-each (lambda (row) (add-integer! (car row) (cadr row) (cddr row))) integers)

(define-simple-view! 'char 1
  (lambda (bytes) (integer->char (u8vector-ref bytes 0)))
  (lambda (value)
    (let ((code (if (char? value) (char->integer value) value)))
      (number->u8vector (check-integer 'char code 1) 1)))
  (lambda (c) (if (char<=? #\space c #\~) (text "'" c "'") (text "'\\x" (hex (char->integer c) 2) "'"))))

(define-simple-view! 'bool 1
  (lambda (bytes) (not (= 0 (u8vector-ref bytes 0))))
  (lambda (value) (u8vector (if (memv value '(#f 0)) 0 1)))
  (lambda (value) (if value "true" "false")))

;; Of a view that stands for an integer: its size in bytes.
(define (check-integer-view view names)
  (if (not (and (symbol? view) (assq view integers)))
      (bad view "an integer is expected here: " (string-join (map symbol->string (map car integers)) ", "))))

(define (base-view! name radix prefix)
  (define (under place) (inside place (cadr (view-place-view place)) (view-place-address place)))
  (define-view-kind! name scalar?: #t
    check: (lambda (view names)
             (check-shape view 2 2 "(" name " u32)")
             (check-integer-view (cadr view) names))
    size: (lambda (place) (size-of (under place)))
    value: (lambda (place) (value-of (under place)))
    tree: (lambda (place)
            (let ((value (value-of (under place))))
              (text (if (< value 0) "-" "") prefix (number->string (abs value) radix))))
    write!: (lambda (place value) (view-write! (under place) value))))

(define (view-write! place value)
  (receive (place write!) (ask place view-kind-write!)
    (if (not write!) (bad (view-place-view place) "this cannot be set as a whole; its parts can"))
    (write! place value)))

(define (check-shape view least most . usage)
  (if (not (<= least (if (pair? view) (length view) 1) most)) (bad view "it is written " (apply text usage))))

(base-view! 'hex 16 "0x")
(base-view! 'binary 2 "0b")

(set! bare (cons 'address bare))
(define-view-kind! 'address scalar?: #t
  check: no-arguments
  size: (lambda (place) 8)
  value: (lambda (place) (read-number place 8))
  tree: (lambda (place) (address-text place (read-number place 8)))
  write!: (lambda (place value) (write-number! place 8 (check-integer 'address value 8))))

(define (address-text place address) ((view-world-address->text (view-place-world place)) address))

;; ---- enums and bits --------------------------------------------------------------------------------

;; clauses: ((name number) …)
(define (check-clauses view clauses)
  (if (not (every (lambda (clause)
                    (and (list? clause) (= 2 (length clause)) (symbol? (car clause)) (exact-integer? (cadr clause))))
                  clauses))
      (bad view "its names are written (name number)")))

(define (number->name clauses number)
  (let ((clause (find (lambda (clause) (= (cadr clause) number)) clauses))) (if clause (car clause) number)))

(define (name->number clauses name)
  (cond ((exact-integer? name) name)
        ((assq name clauses) => cadr)
        (else
         (fail "there is no `" name "`" (did-you-mean name (map symbol->string (map car clauses))) "; there are "
               (string-join (map symbol->string (map car clauses)) ", ")))))

(define (number-under place) (value-of (inside place (cadr (view-place-view place)) (view-place-address place))))
(define (write-number-under! place value)
  (view-write! (inside place (cadr (view-place-view place)) (view-place-address place)) value))
(define (size-under place) (integer-size (cadr (view-place-view place))))

(define-view-kind! 'enum scalar?: #t
  check: (lambda (view names)
           (check-shape view 3 1000 "(enum u8 (name number) ...)")
           (check-integer-view (cadr view) names)
           (check-clauses view (cddr view)))
  size: size-under
  value: (lambda (place) (number->name (cddr (view-place-view place)) (number-under place)))
  tree: (lambda (place) (text (number->name (cddr (view-place-view place)) (number-under place))))
  write!: (lambda (place value)
            (write-number-under! place (name->number (cddr (view-place-view place)) value))))

;; parts: ((name width clause …) …)
(define (check-parts view parts)
  (for-each
   (lambda (part)
     (if (not (and (list? part) (>= (length part) 2) (symbol? (car part))
                   (exact-integer? (cadr part)) (< 0 (cadr part) 65)))
         (bad view "its parts are written (name width), from the lowest bit on"))
     (check-clauses view (cddr part)))
   parts)
  (if (> (fold (lambda (part sum) (+ sum (cadr part))) 0 parts) (* 8 (integer-size (cadr view))))
      (bad view "its parts have more bits than " (cadr view))))

;; ((name shift width clause …) …)
(define (placed-parts view)
  (let loop ((parts (cddr view)) (shift 0) (placed '()))
    (if (null? parts)
        (reverse placed)
        (loop (cdr parts) (+ shift (cadr (car parts))) (cons (cons (caar parts) (cons shift (cdar parts))) placed)))))

(define (shown-parts view) (remove (lambda (part) (eq? (car part) '_)) (placed-parts view)))

(define (part-value number part)
  (number->name (cdddr part) (modulo (arithmetic-shift number (- (cadr part))) (expt 2 (caddr part)))))

(define-view-kind! 'bits scalar?: #t
  check: (lambda (view names)
           (check-shape view 3 1000 "(bits u16 (name width) ...)")
           (check-integer-view (cadr view) names)
           (check-parts view (cddr view)))
  size: size-under
  value: (lambda (place)
           (let ((number (number-under place)))
             (map (lambda (part) (cons (car part) (part-value number part))) (shown-parts (view-place-view place)))))
  tree: (lambda (place)
          (let ((number (number-under place)))
            (cons 'fields
                  (map (lambda (part) (cons (text (car part)) (text (part-value number part))))
                       (shown-parts (view-place-view place))))))
  write!: (lambda (place value) (write-number-under! place value))
  part: (lambda (place selector)
          (let ((part (assq selector (placed-parts (view-place-view place)))))
            (if (not part) (no-field place selector (map car (shown-parts (view-place-view place)))))
            (inside place (list 'bits-part (cadr (view-place-view place)) part) (view-place-address place)))))

;; One of them: only view-part makes it.
(define-view-kind! 'bits-part scalar?: #t
  check: (lambda (view names) (bad view "it is written (bits ...)"))
  size: size-under
  value: (lambda (place) (part-value (number-under place) (caddr (view-place-view place))))
  tree: (lambda (place) (text (part-value (number-under place) (caddr (view-place-view place)))))
  write!: (lambda (place value)
            (let* ((part (caddr (view-place-view place)))
                   (number (name->number (cdddr part) value))
                   (mask (arithmetic-shift (- (expt 2 (caddr part)) 1) (cadr part)))
                   (all (modulo (number-under place) (expt 2 64))))
              (if (not (< -1 number (expt 2 (caddr part))))
                  (fail number " does not fit: `" (car part) "` has " (caddr part)
                        (if (= 1 (caddr part)) " bit" " bits")))
              (let ((new (bitwise-ior (bitwise-and all (bitwise-not mask)) (arithmetic-shift number (cadr part)))))
                (write-number-under! place (modulo new (expt 2 (* 8 (size-under place)))))))))

(define (no-field place selector names)
  (bad (view-place-view place) "there is no `" selector "`"
       (did-you-mean (text selector) (map symbol->string names))
       "; there are " (string-join (map symbol->string names) ", ")))

;; ---- text and bytes --------------------------------------------------------------------------------

(define longest-string 65536)

;; #(start length): the bytes that are text, from the place on; and how many bytes the place has.
(define (string-extent place)
  (let* ((view (view-place-view place)) (size (and (pair? view) (cadr view))))
    (cond ((not size) (let ((length (length-to-zero place longest-string))) (vector 0 length (+ length 1))))
          ((integer? size) (vector 0 (length-to-zero place size) size))
          (else
           (let ((length (value-of (inside place size (view-place-address place)))) (start (integer-size size)))
             (if (not (<= 0 length longest-string)) (fail "a string of " length " bytes is too long to be one"))
             (vector start length (+ start length)))))))

(define (length-to-zero place most)
  (let ((read (view-world-read (view-place-world place))))
    (let loop ((from 0))
      (if (>= from most)
          most
          (let* ((chunk (min 64 (- most from)))
                 (address (+ (view-place-address place) from))
                 ;; near the end of what is mapped, byte by byte
                 (bytes (or (read address chunk) (read address 1) (memory-missing (inside place 'u8 address))))
                 (zero (u8vector-index bytes 0)))
            (step! place)
            (if zero (+ from zero) (loop (+ from (u8vector-length bytes)))))))))

(define (string-bytes place most)
  (let ((extent (string-extent place)))
    (bytes-at (inside place 'u8 (+ (view-place-address place) (vector-ref extent 0)))
              (min most (vector-ref extent 1)))))

(define (write-string! place value)
  (if (not (string? value)) (fail (written value) " is no string"))
  (let* ((view (view-place-view place)) (size (and (pair? view) (cadr view)))
         (extent (string-extent place)) (bytes (string->utf8 value)) (length (u8vector-length bytes))
         (room (if (integer? size) size (vector-ref extent 1))))
    (if (> length room)
        (fail "the string has " length " bytes, and there is room for " room))
    (cond ((not size) (write-bytes! place (u8vector-append bytes (u8vector 0))))
          ((integer? size) (write-bytes! place (u8vector-append bytes (make-u8vector (- size length) 0))))
          (else
           (view-write! (inside place size (view-place-address place)) length)
           (write-bytes! (inside place 'u8 (+ (view-place-address place) (vector-ref extent 0))) bytes)))))

(set! bare (cons 'string bare))
(define-view-kind! 'string
  check: (lambda (view names)
           (check-shape view 1 2 "string, (string LENGTH) or (string u16)")
           (if (and (pair? view) (pair? (cdr view)))
               (if (exact-integer? (cadr view)) (check-size view (cadr view)) (check-integer-view (cadr view) names))
               (if (pair? view) (bad view "it is written string, (string LENGTH) or (string u16)"))))
  size: (lambda (place) (vector-ref (string-extent place) 2))
  value: (lambda (place) (utf8->string (string-bytes place longest-string)))
  tree: (lambda (place)
          (let* ((most (* 4 (view-element-limit))) (bytes (string-bytes place (+ most 1))))
            (if (> (u8vector-length bytes) most)
                (text (written (utf8->string (subu8vector bytes 0 most))) "...")
                (written (utf8->string bytes)))))
  write!: write-string!)

(define largest-size (expt 2 32))

(define (check-size view size)
  (if (not (<= 0 size largest-size)) (bad view "a size is from 0 to 2^32, not " size)))

(define-view-kind! 'bytes
  check: (lambda (view names)
           (check-shape view 2 2 "(bytes LENGTH)")
           (if (not (exact-integer? (cadr view))) (bad view "it is written (bytes LENGTH)"))
           (check-size view (cadr view)))
  size: (lambda (place) (cadr (view-place-view place)))
  value: (lambda (place) (bytes-at place (min longest-string (cadr (view-place-view place)))))
  tree: (lambda (place)
          (let* ((size (cadr (view-place-view place))) (shown (min size (view-element-limit))))
            (text (string-join (map (lambda (byte) (hex byte 2)) (u8vector->list (bytes-at place shown))) " ")
                  (if (< shown size) " ..." ""))))
  write!: (lambda (place value)
            (if (not (and (u8vector? value) (= (u8vector-length value) (cadr (view-place-view place)))))
                (fail "a u8vector of " (cadr (view-place-view place)) " bytes is expected"))
            (write-bytes! place value)))

;; ---- order of bytes --------------------------------------------------------------------------------

(define (order-view! name big?)
  (define (under place)
    (inside place (cadr (view-place-view place)) (view-place-address place) (view-place-scope place) big?))
  (define-view-kind! name
    check: (lambda (view names) (check-shape view 2 2 "(" name " VIEW)") (check (cadr view) names))
    size: (lambda (place) (size-of (under place)))
    value: (lambda (place) (value-of (under place)))
    tree: (lambda (place) (tree-of (under place)))
    write!: (lambda (place value) (view-write! (under place) value))
    part: (lambda (place selector) (view-part (under place) selector))))

(order-view! 'big #t)
(order-view! 'little #f)

;; ---- pointers --------------------------------------------------------------------------------------

(define (pointer-size view) (if (pair? (cddr view)) (integer-size (caddr view)) 8))

(define (pointer-tree place follow?)
  (let ((address (value-of place)))
    (if (= address 0)
        "0"
        (let ((shown (address-text place address))
              (target (inside place (cadr (view-place-view place)) address '() #f)))
          (if (or follow? (short? target))
              (list 'behind (text shown " ->") (tree-or-error target))
              shown)))))

;; Whether what a pointer points to is shown beside it.
(define (short? place)
  (unless-failed
   (lambda ()
     (receive (place scalar?) (ask place view-kind-scalar?)
       (or (eq? (head (view-place-view place)) 'string)
           (and scalar? (not (eq? (head (view-place-view place)) 'pointer))))))
   (lambda (message) #f)))

;; What a pointer that is not 0 counts from.
(define (pointer-base view) (if (and (pair? (cddr view)) (pair? (cdddr view))) (cadddr view) 0))

(define-view-kind! 'pointer scalar?: #t
  check: (lambda (view names)
           (check-shape view 2 4 "(pointer VIEW), (pointer VIEW u32) or (pointer VIEW u32 BASE)")
           (check (cadr view) '())
           (if (pair? (cddr view)) (check-integer-view (caddr view) names))
           (if (not (exact-integer? (pointer-base view))) (bad view "BASE is a number")))
  size: (lambda (place) (pointer-size (view-place-view place)))
  value: (lambda (place)
           (let* ((view (view-place-view place)) (number (read-number place (pointer-size view))))
             (if (= number 0) 0 (+ number (pointer-base view)))))
  tree: (lambda (place) (pointer-tree place #f))
  write!: (lambda (place value)
            (let* ((view (view-place-view place)) (size (pointer-size view))
                   (number (if (and (exact-integer? value) (not (= value 0))) (- value (pointer-base view)) value)))
              (write-number! place size (check-integer 'pointer number size)))))

;; ---- records ---------------------------------------------------------------------------------------

(define (record-fields view) (if (and (pair? (cdr view)) (integer? (cadr view))) (cddr view) (cdr view)))

(define (check-record view names)
  (if (and (pair? (cdr view)) (exact-integer? (cadr view))) (check-size view (cadr view)))
  (let loop ((fields (record-fields view)) (names names))
    (if (pair? fields)
        (let ((field (car fields)))
          (if (not (and (list? field) (memv (length field) '(2 3)) (symbol? (car field))
                        (or (= 2 (length field)) (exact-integer? (caddr field)))))
              (bad view "its fields are written (name VIEW) or (name VIEW OFFSET)"))
          (if (pair? (cddr field)) (check-size view (caddr field)))
          (check (cadr field) names)
          (loop (cdr fields) (cons (car field) names))))))

;; Calls (each name place) for the fields in turn, until it gives something that is not #f, which is the result.
(define (for-each-field place each)
  (let loop ((fields (record-fields (view-place-view place))) (before #f))
    (and (pair? fields)
         (let* ((field (car fields))
                (address (cond ((pair? (cddr field)) (+ (view-place-address place) (caddr field)))
                               (before (+ (view-place-address before) (size-of before)))
                               (else (view-place-address place))))
                (part (inside place (cadr field) address (cons place (view-place-scope place)))))
           (or (each (car field) part)
               (loop (cdr fields) part))))))

(define (record-size place)
  (let ((end 0))
    (for-each-field place
      (lambda (name part)
        (set! end (max end (u64 (- (+ (view-place-address part) (size-of part)) (view-place-address place)))))
        #f))
    end))

(define (field-place place name)
  (for-each-field place (lambda (field part) (and (eq? field name) part))))

(define-view-kind! 'record
  check: check-record
  size: record-size
  value: (lambda (place)
           (let ((fields '()))
             (for-each-field place
               (lambda (name part) (set! fields (cons (cons name (value-of part)) fields)) #f))
             (reverse fields)))
  tree: (lambda (place)
          (let* ((fields '())
                 (end (unless-failed
                       (lambda ()
                         (for-each-field place
                           (lambda (name part)
                             (if (not (eq? name '_))
                                 (set! fields (cons (cons (text name) (tree-or-error part)) fields)))
                             #f)))
                       in-place-of-value)))
            (cons 'fields (reverse (if (string? end) (cons (cons "..." end) fields) fields)))))
  part: (lambda (place selector)
          (or (and (symbol? selector) (field-place place selector))
              (no-field place selector (map car (record-fields (view-place-view place)))))))

;; The value of an earlier field of the records around, for counts and tags.
(define (named-field place name)
  (let loop ((scope (view-place-scope place)))
    (if (null? scope) (fail "there is no field `" name "` before this one"))
    (let ((found (field-place (car scope) name)))
      (if found (value-of found) (loop (cdr scope))))))

(define (check-earlier view name names)
  (if (not (memq name names))
      (bad view "there is no earlier field `" name "` in a record around it")))

;; ---- unions ----------------------------------------------------------------------------------------

(define (chosen-view place)
  (let* ((view (view-place-view place)) (tag (named-field place (cadr view))))
    (let ((clause (find (lambda (clause) (or (eqv? (car clause) tag) (eq? (car clause) 'else))) (cddr view))))
      (if (not clause) (fail "`" (cadr view) "` is " tag ", for which the union has nothing"))
      (inside place (cadr clause) (view-place-address place)))))

(define-view-kind! 'union
  check: (lambda (view names)
           (check-shape view 3 1000 "(union FIELD (WHEN VIEW) ...)")
           (check-earlier view (cadr view) names)
           (for-each (lambda (clause)
                       (if (not (and (list? clause) (= 2 (length clause))
                                     (or (symbol? (car clause)) (exact-integer? (car clause)))))
                           (bad view "its cases are written (WHEN VIEW), WHEN a number, a name of the enum or else"))
                       (check (cadr clause) names))
                     (cddr view)))
  ;; That of the largest; what is not in memory now may have none.
  size: (lambda (place)
          (fold (lambda (clause size)
                  (max size
                       (unless-failed (lambda () (size-of (inside place (cadr clause) (view-place-address place))))
                                      (lambda (message) 0))))
                0 (cddr (view-place-view place))))
  value: (lambda (place) (value-of (chosen-view place)))
  tree: (lambda (place) (tree-of (chosen-view place)))
  write!: (lambda (place value) (view-write! (chosen-view place) value))
  part: (lambda (place selector) (view-part (chosen-view place) selector)))

;; ---- arrays ----------------------------------------------------------------------------------------

(define (array-count place)
  (let ((count (cadr (view-place-view place))))
    (if (integer? count)
        count
        (let ((value (named-field place count))) (if (and (integer? value) (>= value 0)) value 0)))))

(define (array-elements place)
  (let loop ((i 0) (count (array-count place)) (address (view-place-address place)) (elements '()))
    (if (= i count)
        (reverse elements)
        (let ((element (inside place (caddr (view-place-view place)) address)))
          (loop (+ i 1) count (+ address (size-of element)) (cons element elements))))))

(define (array-size place)
  (let* ((count (array-count place)) (element (caddr (view-place-view place)))
         (size (static-size (view-place-world place) element)))
    (if size
        (* count size)
        (let loop ((i 0) (address (view-place-address place)))
          (if (= i count)
              (- address (view-place-address place))
              (loop (+ i 1) (+ address (size-of (inside place element address)))))))))

(define-view-kind! 'array
  check: (lambda (view names)
           (check-shape view 3 3 "(array COUNT VIEW)")
           (cond ((exact-integer? (cadr view)) (check-size view (cadr view)))
                 ((symbol? (cadr view)) (check-earlier view (cadr view) names))
                 (else (bad view "COUNT is a number or an earlier field")))
           (check (caddr view) names))
  size: array-size
  value: (lambda (place) (map value-of (array-elements place)))
  tree: (lambda (place) (elements-tree place (array-count place)))
  part: (lambda (place selector)
          (let ((count (array-count place)))
            (if (not (and (exact-integer? selector) (< -1 selector count)))
                (fail "there is no element " selector "; there are " count))
            (inside place (caddr (view-place-view place))
                    (+ (view-place-address place)
                       (array-size (inside place (list 'array selector (caddr (view-place-view place)))
                                           (view-place-address place))))))))

(define (elements-tree place count)
  (let loop ((i 0) (address (view-place-address place)) (trees '()))
    (define (finish . more) (cons 'elements (append (reverse trees) more)))
    (cond ((= i count) (finish))
          ((not (room? place)) (finish (text "... " (- count i) " more")))
          (else
           (let ((next (unless-failed
                        (lambda ()
                          (let ((element (inside place (caddr (view-place-view place)) address)))
                            (cons (tree-of element) (+ address (size-of element)))))
                        in-place-of-value)))
             (if (string? next)
                 (finish next)
                 (loop (+ i 1) (cdr next) (cons (car next) trees))))))))

;; ---- linked lists ----------------------------------------------------------------------------------

;; The nodes from a place on, as long as more? says; the other values are why it stops before the end, and whether.
(define (list-nodes place more?)
  (let ((view (view-place-view place)) (seen (make-table test: eqv?)))
    (let loop ((address (view-place-address place)) (n 0) (nodes '()))
      (cond ((= address 0) (values (reverse nodes) "" #f))
            ((table-ref seen address #f)
             => (lambda (n) (values (reverse nodes) (text "back to [" (- n 1) "]: a cycle") 'cycle)))
            ((not (more? n)) (values (reverse nodes) (text "more at " (address-text place address)) 'more))
            (else
             (table-set! seen address (+ n 1))
             (let* ((node (inside place (caddr view) address '() #f))
                    (next (unless-failed (lambda () (next-address node (cadr view))) (lambda (message) message))))
               (if (string? next)
                   (values (reverse (cons node nodes)) next 'lost)
                   (loop next (+ n 1) (cons node nodes)))))))))

(define (next-address node name)
  (let ((value (value-of (view-part node name))))
    (if (integer? value) (u64 value) (fail "`" name "` holds " (written value) ", which is no address"))))

(define (first-node place) (inside place (caddr (view-place-view place)) (view-place-address place) '() #f))

(define-view-kind! 'list
  check: (lambda (view names)
           (if (not (and (= 3 (if (pair? view) (length view) 1)) (symbol? (cadr view))))
               (bad view "it is written (list NEXT VIEW), NEXT the field that links"))
           (check (caddr view) '()))
  size: (lambda (place) (size-of (first-node place)))
  value: (lambda (place)
           (receive (nodes why end) (list-nodes place (lambda (n) #t))
             (if end (fail "the list has no end that can be come to: " why))
             (map value-of nodes)))
  tree: (lambda (place)
          (receive (nodes why end) (list-nodes place (lambda (n) (room? place)))
            (append (list 'elements)
                    (map tree-or-error nodes)
                    (if end (list (text "... " why)) '()))))
  part: (lambda (place selector)
          (if (exact-integer? selector)
              (receive (nodes why end) (list-nodes place (lambda (n) (<= n selector)))
                (if (>= selector (length nodes)) (fail "there is no element " selector "; there are " (length nodes)))
                (list-ref nodes selector))
              (view-part (first-node place) selector))))
