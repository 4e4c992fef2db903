;; Types of DWARF as views, see debugger/README.md. A structure is a view of its own, called struct-NAME; all other types
;; are written out where they are used. A pointer counts from where the linear memory begins.
;;
;;   (define types (make-types #x100000))
;;   (type-view types unit entry)      => (array 4 s32), of what an entry's type is
;;   (types-views types)               => (("struct-node" . (record 12 (value s32 0) …)) …)
(module scheme-lib/loaders/wasm/debug-types)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/debug-info)
(declare (standard-bindings) (extended-bindings) (block))

;; memory: the address where it begins; known: entry -> the view that it is; names: of structures, by what tells them
;; apart; descriptions: by names
(define-type types constructor: construct-types memory known names descriptions)
(define (make-types memory)
  (construct-types memory (make-table test: eq?) (make-table test: equal?) (make-table test: eq?)))

(define at:byte-size #x0b)
(define at:bit-offset #x0c)
(define at:bit-size #x0d)
(define at:const-value #x1c)
(define at:upper-bound #x2f)
(define at:count #x37)
(define at:member-location #x38)
(define at:declaration #x3c)
(define at:encoding #x3e)
(define at:type #x49)
(define at:data-bit-offset #x6b)

(define nothing '(bytes 0))
(define longest-word 100)

;; A name as views can have it, in ASCII: what stands for something else in them becomes _.
(define (view-word name)
  (define (other? c) (not (and (char<? c #\x7f) (or (char-alphabetic? c) (char-numeric? c) (memv c '(#\_ #\$))))))
  (let ((name (if (> (string-length name) longest-word) (substring name 0 longest-word) name)))
    (string->symbol
     (if (string-index name other?)
         (list->string (map (lambda (c) (if (other? c) #\_ c)) (string->list name)))
         name))))

(define (number unit entry attribute default)
  (let ((value (entry-attribute unit entry attribute))) (if (integer? value) value default)))

(define (sized letter size) (string->symbol (string-append letter (number->string (* 8 size)))))

(define (base-type unit entry)
  (let ((size (number unit entry at:byte-size 0)) (encoding (number unit entry at:encoding 0)))
    (cond ((and (= encoding 4) (memv size '(4 8))) (sized "f" size))
          ((not (memv size '(1 2 4 8))) (list 'bytes size))
          ((and (= encoding 2) (= size 1)) 'bool)
          ((equal? "char" (entry-name unit entry)) 'char)
          ((memv encoding '(5 6)) (sized "s" size))
          (else (sized "u" size)))))

;; So deep may types be in each other that have no name of their own.
(define deepest 20)

;; The view of what an entry's type is; made once for each type, of which programs have few and use them often.
(define (type-view types unit entry)
  (let ((type (entry-reference unit entry at:type)))
    (cond ((not type) nothing)
          ((table-ref (types-known types) type #f))
          (else (let ((view (view-of-type types unit type 0 #f)))
                  (table-set! (types-known types) type view)
                  view)))))

;; alias: what a typedef calls it that is on the way.
(define (view-of-type types unit type depth alias)
  (define (of-its-type) (view-of-type types unit (entry-reference unit type at:type) (+ depth 1) #f))
  (cond ((or (not type) (> depth deepest)) nothing)
        (else
         (case (entry-tag type)
           ((#x24) (base-type unit type))
           ((#x0f #x10 #x42) (pointer types unit type depth))
           ((#x16) (view-of-type types unit (entry-reference unit type at:type) (+ depth 1) (entry-name unit type)))
           ((#x26 #x35 #x37 #x47) (view-of-type types unit (entry-reference unit type at:type) (+ depth 1) alias))
           ((#x02 #x13 #x17) (structure types unit type alias))
           ((#x04) (enumeration unit type))
           ((#x01) (array-of (of-its-type) (counts unit type)))
           ((#x1f #x3b) 'u32)
           (else nothing)))))

(define (pointer types unit type depth)
  (let* ((target (entry-reference unit type at:type))
         (view (if (and target (= #x15 (entry-tag target))) #f (view-of-type types unit target (+ depth 1) #f))))
    ;; Where a function is called through it is not memory.
    (if view
        (list 'pointer (if (eq? view 'char) 'string view) 'u32 (types-memory types))
        'u32)))

(define most-names 500)

(define (enumeration unit type)
  (let* ((size (number unit type at:byte-size 4)) (kind (sized "s" (if (memv size '(1 2 4 8)) size 4)))
         (names (filter (lambda (child) (and (= #x28 (entry-tag child)) (entry-name unit child))) (entry-children type))))
    (if (or (null? names) (> (length names) most-names))
        kind
        (cons* 'enum kind (map (lambda (child)
                                 (list (view-word (entry-name unit child)) (number unit child at:const-value 0)))
                               names)))))

;; How many elements there are in each dimension.
(define (counts unit type)
  (map (lambda (range)
         (or (number unit range at:count #f) (let ((last (number unit range at:upper-bound #f))) (if last (+ last 1) 0))))
       (filter (lambda (child) (= #x21 (entry-tag child))) (entry-children type))))

(define most-elements (expt 2 32))

(define (array-of view counts)
  (cond ((null? counts) view)
        ((not (<= 0 (car counts) most-elements)) nothing)
        ((and (eq? view 'char) (null? (cdr counts))) (list 'string (car counts)))
        (else (list 'array (car counts) (array-of view (cdr counts))))))

;; ---- structures ----------------------------------------------------------------------------------------

;; Its name as a view. Units that include the same header tell of the same structure, each anew: it is known by what it
;; is called, how large it is, and what its members are called.
(define (structure types unit type alias)
  (or (table-ref (types-known types) type #f)
      (let ((view (new-structure types unit type alias)))
        (table-set! (types-known types) type view)
        view)))

(define (new-structure types unit type alias)
  (if (entry-attribute unit type at:declaration)
      nothing
      (let* ((word (view-word (or (entry-name unit type) alias "anonymous")))
             (key (cons* word (number unit type at:byte-size 0)
                         (map (lambda (child) (entry-name unit child)) (entry-children type)))))
        (or (table-ref (types-names types) key #f)
            (let ((name (new-name types (text "struct-" word))))
              (table-set! (types-names types) key name)
              (table-set! (types-descriptions types) name nothing)
              (table-set! (types-descriptions types) name (record types unit type))
              name)))))

(define (new-name types wanted)
  (let loop ((n 1))
    (let ((name (string->symbol (if (= n 1) wanted (text wanted "-" n)))))
      (if (table-ref (types-descriptions types) name #f) (loop (+ n 1)) name))))

(define (types-views types)
  (map (lambda (view) (cons (symbol->string (car view)) (cdr view))) (table->list (types-descriptions types))))

(define (record types unit type)
  (cons* 'record (number unit type at:byte-size 0)
         (let loop ((children (entry-children type)) (anonymous 1) (fields '()))
           (if (null? children)
               (reverse fields)
               (let* ((child (car children)) (name (entry-name unit child))
                      (field (and (memv (entry-tag child) '(#x0d #x1c))
                                  (let ((given (or name (if (= #x1c (entry-tag child)) "base" (text "anonymous" anonymous)))))
                                    (member-field types unit child (view-word given) (entry-tag type))))))
                 (loop (cdr children) (if (or name (not field)) anonymous (+ anonymous 1))
                       (if field (cons field fields) fields)))))))

;; What has no place in the structure itself is no field of it.
(define (member-field types unit member name parent)
  (let ((offset (number unit member at:member-location (and (= parent #x17) 0)))
        (bits (number unit member at:bit-size #f)))
    (cond (bits (bit-field types unit member name (or offset 0) bits))
          ((and offset (>= offset 0)) (list name (type-view types unit member) offset))
          (else #f))))

(define (integer-size view) (case view ((bool char u8 s8) 1) ((u16 s16) 2) ((u64 s64) 8) (else 4)))

;; Some bits of the number at an offset. Where the first one is counts from the lowest bit of the structure, or, before
;; DWARF 4, from the highest of the number.
(define (bit-field types unit member name offset bits)
  (let* ((size (integer-size (type-view types unit member))) (width (* 8 size))
         (old (number unit member at:bit-offset #f)) (new (number unit member at:data-bit-offset 0))
         (offset (if old offset (+ offset (* size (quotient new width)))))
         (before (if old (- width old bits) (modulo new width))))
    (and (> bits 0)
         (<= 0 before (+ before bits) width)
         (list name (cons* 'bits (sized "u" size) (append (if (> before 0) `((_ ,before)) '()) `((value ,bits))))
               offset))))

;; ---- where values lie ------------------------------------------------------------------------------------

;; Whether a register can hold it.
(define (view-in-register? view)
  (or (memq view '(u8 u16 u32 u64 s8 s16 s32 s64 f32 f64 bool char))
      (and (pair? view) (memq (car view) '(pointer enum)) #t)))
