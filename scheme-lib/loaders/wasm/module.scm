;; A module as records, read from the binary format and checked but for the bodies of functions. Sections are read
;; one after the other; a body stays a cursor over its bytes until it is compiled.
;;
;; A constant expression becomes its value: an integer (bits, unsigned), #(function index), or #(global index).
(module scheme-lib/loaders/wasm/module)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(declare (standard-bindings) (extended-bindings) (block))

;; functions, tables, memories, globals: vectors, those imported first; bodies: cursors; names: index -> text; customs:
;; name -> cursor; code-start: where the content of the code section begins
(define-type module
  constructor: construct-module
  bytes types imports functions tables memories globals exports start elements data-count bodies segments
  names declared customs code-start)

;; id: equal for equal signatures
(define-type signature params results id)
(define-type import module name kind type)
(define-type limits least most)
(define-type table-type element limits)
(define-type global type mutable? value)
(define-type export name kind index)
;; mode: active, passive or declarative; items: a vector of constant expressions
(define-type element mode type table offset items)
(define-type segment mode offset start end)

;; ---- types -------------------------------------------------------------------------------------------

(define type:i32 #x7f)
(define type:i64 #x7e)
(define type:f32 #x7d)
(define type:f64 #x7c)
(define type:funcref #x70)
(define type:externref #x6f)

(define (reference-type? type) (or (eqv? type type:funcref) (eqv? type type:externref)))
(define (value-type? type) (or (<= type:f64 type type:i32) (reference-type? type)))

(define (type->text type)
  (case type ((#x7f) "i32") ((#x7e) "i64") ((#x7d) "f32") ((#x7c) "f64") ((#x70) "funcref") ((#x6f) "externref")
        (else "any")))

(define (value-type c)
  (let ((type (read-byte! c)))
    (if (value-type? type) type (malformed (- (cursor-at c) 1) "malformed value type"))))

(define (reference-type! c)
  (let ((type (read-byte! c)))
    (if (reference-type? type) type (malformed (- (cursor-at c) 1) "malformed reference type"))))

;; ---- pieces ------------------------------------------------------------------------------------------

;; As many of what `item` reads as the number before them says; each takes a byte at least.
(define (read-vector! c item)
  (let ((count (read-u32! c)))
    (if (> count (cursor-left c)) (malformed (cursor-at c) "unexpected end: length out of bounds"))
    (let loop ((i 0) (items '()))
      (if (= i count) (list->vector (reverse items)) (loop (+ i 1) (cons (item) items))))))

(define most-params 1000)

(define (read-signature! c id)
  (if (not (= (read-byte! c) #x60))
      (malformed (- (cursor-at c) 1) "integer representation too long: a function's type begins with 0x60"))
  (let* ((params (read-vector! c (lambda () (value-type c))))
         (results (read-vector! c (lambda () (value-type c)))))
    (if (> (max (vector-length params) (vector-length results)) most-params)
        (malformed (cursor-at c) "implementation limit: more than " most-params " parameters or results"))
    (make-signature params results (id (cons params results)))))

(define (read-limits! c largest why)
  (let* ((at (cursor-at c)) (flag (read-byte! c)))
    (if (> flag 1) (malformed at "malformed limits flags"))
    (let* ((least (read-u32! c)) (most (and (= flag 1) (read-u32! c))))
      (if (or (> least largest) (and most (> most largest))) (invalid at why))
      (if (and most (> least most)) (invalid at "size minimum must not be greater than maximum"))
      (make-limits least most))))

(define (read-table! c)
  (let ((element (reference-type! c)))
    (make-table-type element (read-limits! c #xffffffff ""))))

(define (read-memory! c)
  (read-limits! c 65536 "memory size must be at most 65536 pages (4GiB)"))

(define (read-global-type! c)
  (let* ((type (value-type c)) (flag (read-byte! c)))
    (if (> flag 1) (malformed (- (cursor-at c) 1) "malformed mutability"))
    (make-global type (= flag 1) #f)))

(define (known vector index offset what)
  (if (>= index (vector-length vector)) (invalid offset "unknown " what " " index))
  (vector-ref vector index))

(define (use-function! m index offset)
  (known (module-functions m) index offset "function")
  (table-set! (module-declared m) index #t))

(define (module-declared? m index) (table-ref (module-declared m) index #f))

;; A constant expression of a type, up to its `end`.
(define (read-constant! c m type)
  (let ((from (cursor-at c)))
    (let loop ((value #f) (found #f) (count 0))
      (let* ((at (cursor-at c)) (op (read-byte! c)))
        (define (have found value) (loop value found (+ count 1)))
        (case op
          ((#x0b)
           (if (not (and (= count 1) (eqv? found type))) (invalid from "type mismatch"))
           value)
          ((#x41) (have type:i32 (bitwise-and (read-s32! c) #xffffffff)))
          ((#x42) (have type:i64 (u64 (read-s64! c))))
          ((#x43) (have type:f32 (read-bits! c 4)))
          ((#x44) (have type:f64 (read-bits! c 8)))
          ((#x23)
           (let* ((index (read-u32! c)) (global (known (module-globals m) index at "global")))
             (if (or (global-mutable? global) (global-value global)) (invalid at "constant expression required"))
             (have (global-type global) (vector 'global index))))
          ((#xd0) (have (reference-type! c) 0))
          ((#xd2)
           (let ((index (read-u32! c)))
             (use-function! m index at)
             (have type:funcref (vector 'function index))))
          (else (invalid at "constant expression required")))))))

;; ---- sections ----------------------------------------------------------------------------------------

(define (append-vector a b) (list->vector (append (vector->list a) (vector->list b))))

(define (read-types! c m ids)
  (let* ((id (lambda (key)
               (or (table-ref ids key #f)
                   (let ((n (+ 1 (table-length ids)))) (table-set! ids key n) n)))))
    (module-types-set! m (read-vector! c (lambda () (read-signature! c id))))))

(define (read-import! c m)
  (let* ((from (read-name! c)) (name (read-name! c)) (at (cursor-at c)))
    (case (read-byte! c)
      ((0) (make-import from name 'function (known (module-types m) (read-u32! c) at "type")))
      ((1) (make-import from name 'table (read-table! c)))
      ((2) (make-import from name 'memory (read-memory! c)))
      ((3) (make-import from name 'global (read-global-type! c)))
      (else (malformed at "malformed import kind")))))

(define (read-imports! c m)
  (module-imports-set! m (read-vector! c (lambda () (read-import! c m))))
  (let ((imported (lambda (kind) (list->vector (map import-type (module-imported m kind))))))
    (module-functions-set! m (imported 'function))
    (module-tables-set! m (imported 'table))
    (module-memories-set! m (imported 'memory))
    (module-globals-set! m (imported 'global))))

;; The imports of a kind, in order.
(define (module-imported m kind)
  (filter (lambda (import) (eq? kind (import-kind import))) (vector->list (module-imports m))))

(define (module-function-count m) (vector-length (module-functions m)))

(define (read-functions! c m)
  (module-functions-set! m
    (append-vector (module-functions m)
                   (read-vector! c (lambda ()
                                     (let ((at (cursor-at c)))
                                       (known (module-types m) (read-u32! c) at "type")))))))

(define (read-tables! c m)
  (module-tables-set! m (append-vector (module-tables m) (read-vector! c (lambda () (read-table! c))))))

(define (read-memories! c m)
  (module-memories-set! m (append-vector (module-memories m) (read-vector! c (lambda () (read-memory! c))))))

;; An initial value may speak of imported globals alone, which have no value yet.
(define (read-globals! c m)
  (module-globals-set! m
    (append-vector
     (module-globals m)
     (read-vector! c (lambda ()
                       (let ((global (read-global-type! c)))
                         (global-value-set! global (read-constant! c m (global-type global)))
                         global))))))

(define (read-exports! c m)
  (let ((names (make-table)))
    (module-exports-set! m
      (read-vector! c
        (lambda ()
          (let* ((name (read-name! c)) (at (cursor-at c)) (kind (read-byte! c)) (index (read-u32! c)))
            (if (table-ref names name #f) (invalid at "duplicate export name"))
            (table-set! names name #t)
            (case kind
              ((0) (use-function! m index at) (make-export name 'function index))
              ((1) (known (module-tables m) index at "table") (make-export name 'table index))
              ((2) (known (module-memories m) index at "memory") (make-export name 'memory index))
              ((3) (known (module-globals m) index at "global") (make-export name 'global index))
              (else (malformed at "malformed export kind")))))))))

(define (read-start! c m)
  (let* ((at (cursor-at c)) (index (read-u32! c)) (signature (known (module-functions m) index at "function")))
    (if (not (and (equal? '#() (signature-params signature)) (equal? '#() (signature-results signature))))
        (invalid at "start function"))
    (module-start-set! m index)))

;; Bit 0: passive or declarative; bit 1: a table number, or declarative; bit 2: expressions, not numbers.
(define (read-element! c m)
  (let* ((at (cursor-at c)) (flags (read-u32! c)))
    (if (> flags 7) (malformed at "malformed elements segment kind"))
    (let* ((plain? (not (odd? flags)))
           (second? (bit-set? 1 flags))
           (expressions? (bit-set? 2 flags))
           (table (if (and plain? second?) (read-u32! c) 0))
           (table-type (and plain? (known (module-tables m) table at "table")))
           (offset (and plain? (read-constant! c m type:i32)))
           (type (cond ((and plain? (not second?)) type:funcref)
                       (expressions? (reference-type! c))
                       (else (if (not (= 0 (read-byte! c))) (malformed (- (cursor-at c) 1) "malformed element kind"))
                             type:funcref)))
           (items (read-vector! c (lambda ()
                                    (if expressions?
                                        (read-constant! c m type)
                                        (let ((at (cursor-at c)) (index (read-u32! c)))
                                          (use-function! m index at)
                                          (vector 'function index)))))))
      (if (and table-type (not (eqv? type (table-type-element table-type)))) (invalid at "type mismatch"))
      (make-element (cond (plain? 'active) (second? 'declarative) (else 'passive)) type table offset items))))

(define (read-segment! c m)
  (let* ((at (cursor-at c)) (flags (read-u32! c)))
    (if (> flags 2) (malformed at "malformed data segment kind"))
    (let ((memory (if (= flags 2) (read-u32! c) 0)))
      (if (not (= flags 1)) (known (module-memories m) memory at "memory"))
      (let* ((offset (and (not (= flags 1)) (read-constant! c m type:i32)))
             (part (cursor-part c (read-u32! c))))
        (make-segment (if offset 'active 'passive) offset (cursor-at part) (cursor-end part))))))

;; The names of functions. What is wrong in this section is nobody's harm.
(define (read-names! c m)
  (with-exception-catcher
   (lambda (e) (if (wasm-error? e) #f (raise e)))
   (lambda ()
     (let loop ()
       (if (> (cursor-left c) 0)
           (let* ((id (read-byte! c)) (part (cursor-part c (read-u32! c))))
             (if (= id 1)
                 (read-vector! part (lambda ()
                                      (let ((index (read-u32! part)))
                                        (table-set! (module-names m) index (read-name! part))))))
             (loop)))))))

(define (read-custom! c m)
  (let ((name (read-name! c)))
    (table-set! (module-customs m) name (make-cursor (cursor-bytes c) (cursor-at c) (cursor-end c)))
    (if (string=? name "name") (read-names! c m))
    (cursor-at-set! c (cursor-end c))))

;; A cursor over the custom section of a name, or #f.
(define (module-custom m name)
  (let ((c (table-ref (module-customs m) name #f)))
    (and c (make-cursor (cursor-bytes c) (cursor-at c) (cursor-end c)))))

(define (read-section! id c m ids)
  (case id
    ((0) (read-custom! c m))
    ((1) (read-types! c m ids))
    ((2) (read-imports! c m))
    ((3) (read-functions! c m))
    ((4) (read-tables! c m))
    ((5) (read-memories! c m))
    ((6) (read-globals! c m))
    ((7) (read-exports! c m))
    ((8) (read-start! c m))
    ((9) (module-elements-set! m (read-vector! c (lambda () (read-element! c m)))))
    ((10)
     (module-code-start-set! m (cursor-at c))
     (module-bodies-set! m (read-vector! c (lambda () (cursor-part c (read-u32! c))))))
    ((11) (module-segments-set! m (read-vector! c (lambda () (read-segment! c m)))))
    ((12) (module-data-count-set! m (read-u32! c)))))

(define section-order '#(0 1 2 3 4 5 6 7 8 9 11 12 10))   ; by id: the data count comes before the code

;; ---- the whole ---------------------------------------------------------------------------------------

(define magic '#u8(0 97 115 109))
(define version '#u8(1 0 0 0))

(define (begins? bytes at what)
  (and (>= (u8vector-length bytes) (+ at 4)) (equal? what (subu8vector bytes at (+ at 4)))))

;; Whether bytes begin as a module does.
(define (wasm-bytes? bytes) (begins? bytes 0 magic))

(define (check-counts m)
  (let ((end (u8vector-length (module-bytes m))))
    (if (not (= (vector-length (module-bodies m))
                (- (module-function-count m) (length (module-imported m 'function)))))
        (malformed end "function and code section have inconsistent lengths"))
    (if (and (module-data-count m) (not (= (module-data-count m) (vector-length (module-segments m)))))
        (malformed end "data count and data section have inconsistent lengths"))
    (if (> (vector-length (module-memories m)) 1) (invalid end "multiple memories"))))

;; IDS: the numbers of signatures, by which modules in one machine know each other's.
(define (read-module bytes #!optional (ids (make-table)))
  (let ((m (construct-module bytes '#() '#() '#() '#() '#() '#() '#() #f '#() #f '#() '#()
                             (make-table) (make-table) (make-table) 0))
        (c (make-cursor bytes 0 (u8vector-length bytes))))
    (if (not (begins? bytes 0 magic))
        (malformed 0 (if (< (u8vector-length bytes) 4) "unexpected end" "magic header not detected")))
    (if (not (begins? bytes 4 version))
        (malformed 4 (if (< (u8vector-length bytes) 8) "unexpected end" "unknown binary version")))
    (skip-bytes! c 8)
    (let loop ((last 0))
      (if (> (cursor-left c) 0)
          (let* ((at (cursor-at c)) (id (read-byte! c)))
            (if (> id 12) (malformed at "malformed section id"))
            (let ((part (cursor-part c (read-u32! c))) (place (vector-ref section-order id)))
              (if (and (> id 0) (<= place last)) (malformed at "unexpected content after last section"))
              (read-section! id part m ids)
              (if (> (cursor-left part) 0) (malformed (cursor-at part) "section size mismatch"))
              (loop (max place last))))))
    (check-counts m)
    m))

;; What a function is called: by the name section, or its number.
(define (module-function-name m index)
  (table-ref (module-names m) index (text "func[" index "]")))
