;; Where things stand in the one address space of a module's machine:
;;
;;   0x10000   data      words: size of the memory in pages; for each table its size; for each segment of elements
;;                       and of data its address and length; globals that got no thread register; then the tables
;;   code      code      functions, each behind a word that identifies its type
;;             constant  segments that the program copies from
;;   memory    memory    WebAssembly's linear memory, to the end of what is mapped
;;
;; So an address of WebAssembly is an offset from `memory`, which goes into the constant offset of each load and
;; store, and memory that is not there is not mapped: the machine checks the bounds. Nothing is mapped behind it.
;;
;; A reference to a function is its address, to nothing 0. Mutable globals live in thread registers while there are.
;;
;; Several modules in one machine stand behind each other, each as above, counted from an origin of its own, so far
;; apart that none reaches into another's part by mistake. What one imports of another it uses where that has it: see
;; `linkage`.
(module scheme-lib/loaders/wasm/layout)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(declare (standard-bindings) (extended-bindings) (block))

;; end: behind all that the module can reach; functions: labels; imports: name of a host call -> its number; grow: the label of the routine that grows the memory; locals: how
;; many there were in all functions; globals: places; imported-globals: values, one for each;
;; memory, tables: places; rows: source lines by offsets (see dwarf), row the next of them, next-row its offset;
;; operands: of variables (see operands), or #f
(define-type layout
  constructor: construct-layout
  module origin end functions imports imported-globals globals registers tables grow code memory-place elements segments
  data-end shared? locals rows row next-row operands)

;; kind: constant, register or memory
(define-type place kind value)
;; size: the address of the word that tells it; most: its limit or #f
(define-type table-place address size capacity most)
(define-type memory-place address size most)

;; What a module finds in its machine. origin: an address that nothing is behind of; registers: how many thread
;; registers are taken; imports: the machine's import list; functions: for each that is imported the name of its host
;; call, a procedure that gives its routine (see routine.scm) for the address where the memory begins, or the address
;; of a function of another module; globals: for each the bits or the place; memory: its place, or #f for one of the
;; module's own; tables: for each imported one the same
(define-type linkage origin registers imports functions globals memory tables)

;; Of a module that is alone.
(define (lone-linkage functions globals) (make-linkage page-size 0 '() functions globals #f '()))

(define page-size 65536)
(define (page-up address) (* page-size (quotient (+ address page-size -1) page-size)))


(define thread-registers 16)

(define trap:unreachable 1)
(define trap:memory 2)
(define trap:table 3)
(define trap:undefined 4)
(define trap:mismatch 5)
(define trap-texts
  '#(#f "unreachable" "out of bounds memory access" "out of bounds table access" "undefined element"
     "indirect call type mismatch"))

;; What the instruction `trap` with a code means, or #f.
(define (trap-text code)
  (and (< code (vector-length trap-texts)) (vector-ref trap-texts code)))

;; What a table may grow by where it says no limit itself.
(define table-growth 65536)
(define largest-table 10000000)

(define (capacity limits)
  (if (> (limits-least limits) largest-table)
      (unlinkable "implementation limit: a table of " (limits-least limits) " elements"))
  (min (or (limits-most limits) largest-table) (+ (limits-least limits) table-growth)))

;; Gives the tables their places from an address on, and the address behind them; `imported` are the places that the
;; first ones have, `size` is where the first one's size goes.
(define (place-tables tables imported size address)
  (let loop ((tables (vector->list tables)) (imported imported) (size size) (address address) (places '()))
    (cond ((null? tables) (values (list->vector (reverse places)) address))
          ((and (pair? imported) (car imported))
           (loop (cdr tables) (cdr imported) (+ size 8) address (cons (car imported) places)))
          (else
           (let* ((limits (table-type-limits (car tables))) (capacity (capacity limits)))
             (loop (cdr tables) (if (pair? imported) (cdr imported) '()) (+ size 8) (+ address (* 8 capacity))
                   (cons (make-table-place address size capacity (limits-most limits)) places)))))))

(define (place-globals m imported free address)
  (let loop ((globals (vector->list (module-globals m))) (imported imported) (free free) (address address) (places '()))
    (if (null? globals)
        (values (list->vector (reverse places)) free address)
        (let* ((global (car globals))
               (value (if (pair? imported) (car imported) (global-value global)))
               (rest (if (pair? imported) (cdr imported) '())))
          (cond ((place? value) (loop (cdr globals) rest free address (cons value places)))
                ((not (global-mutable? global))
                 (loop (cdr globals) rest free address (cons (make-place 'constant value) places)))
                ((< free thread-registers)
                 (loop (cdr globals) rest (+ free 1) address (cons (make-place 'register free) places)))
                (else
                 (loop (cdr globals) rest free (+ address 8) (cons (make-place 'memory address) places))))))))

;; How much the code may take, and constants at most do, for each byte of the module.
(define code-growth 16)
(define constant-growth 8)

;; How far behind the beginning of a memory an access can go: an address and a constant offset, each of 32 bits.
(define memory-reach (+ (expt 2 33) page-size))

;; A power of two behind the origin that leaves room for both.
(define (memory-address m origin data-end)
  (let ((needed (+ data-end (* 4 page-size)
                   (* (+ code-growth constant-growth) (u8vector-length (module-bytes m)))))
        (region (- origin page-size)))
    (let loop ((address (expt 2 20)))
      (if (< (+ region address) needed) (loop (* 2 address)) (+ region address)))))

;; The code for what begins at `base` and ends before the constants that are below `memory`.
(define (code-between m base memory)
  (make-code base (min (expt 2 27)
                       (- memory base page-size (* constant-growth (u8vector-length (module-bytes m)))))))

(define (make-layout m linkage)
  (let* ((origin (linkage-origin linkage))
         (table-sizes (+ origin 8))
         (elements (+ table-sizes (* 8 (vector-length (module-tables m)))))
         (segments (+ elements (* 16 (vector-length (module-elements m)))))
         (globals (+ segments (* 16 (vector-length (module-segments m))))))
    (receive (global-places registers end)
        (place-globals m (linkage-globals linkage) (linkage-registers linkage) globals)
      (receive (table-places end) (place-tables (module-tables m) (linkage-tables linkage) table-sizes end)
        (let ((memory (memory-address m origin end)) (limits (memory-limits m)))
          (construct-layout m origin
                            (if (and limits (not (linkage-memory linkage))) (+ memory memory-reach) memory)
                            (vector-map (lambda (signature) (make-label)) (module-functions m))
                            (numbered (linkage-imports linkage)) (linkage-globals linkage) global-places registers table-places
                            (make-label) (code-between m (page-up end) memory)
                            (or (linkage-memory linkage) (make-memory-place memory origin (and limits (limits-most limits))))
                            elements segments end
                            (and (or (linkage-memory linkage) (any (lambda (place) place) (linkage-tables linkage))) #t)
                            0 (vector) 0 0 #f))))))

(define (numbered names)
  (list->table (map cons names (iota (length names)))))

;; The number of a host call in the import list, which it joins.
(define (import-number layout name)
  (let ((imports (layout-imports layout)))
    (or (table-ref imports name #f)
        (let ((number (table-length imports)))
          (table-set! imports name number)
          number))))

(define (import-names layout)
  (map car (sort (table->list (layout-imports layout)) (lambda (a b) (< (cdr a) (cdr b))))))

(define (memory-limits m) (and (< 0 (vector-length (module-memories m))) (vector-ref (module-memories m) 0)))

;; Whether the memory, or a table, is the module's own.
(define (own-memory? layout)
  (= (layout-origin layout) (memory-place-size (layout-memory-place layout))))
(define (own-table? layout index)
  (= (+ (layout-origin layout) 8 (* 8 index)) (table-size-address layout index)))

(define (layout-memory layout) (memory-place-address (layout-memory-place layout)))
(define (layout-memory-limit layout) (or (memory-place-most (layout-memory-place layout)) 65536))
(define (memory-size-address layout) (memory-place-size (layout-memory-place layout)))

(define (table-place layout index) (vector-ref (layout-tables layout) index))
(define (table-address layout index) (table-place-address (table-place layout index)))
(define (table-capacity layout index) (table-place-capacity (table-place layout index)))
(define (table-size-address layout index) (table-place-size (table-place layout index)))

;; Where the address and the length of a segment stand; the length is that many bytes behind it.
(define (element-address layout index) (+ (layout-elements layout) (* 16 index)))
(define (segment-address layout index) (+ (layout-segments layout) (* 16 index)))
