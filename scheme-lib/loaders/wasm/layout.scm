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
(module scheme-lib/loaders/wasm/layout)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(declare (standard-bindings) (extended-bindings) (block))

;; functions: labels; imports: names of host calls; grow: the label of the routine that grows the memory; locals: how
;; many there were in all functions; globals: places; imported-globals: values, one for each;
;; rows: source lines by offsets (see dwarf), row the next of them, next-row its offset
(define-type layout
  constructor: construct-layout
  module functions imports imported-globals globals tables grow code memory memory-limit elements segments data-end
  locals rows row next-row)

;; kind: constant, register or memory
(define-type place kind value)
(define-type table-place address capacity)

(define page-size 65536)
(define (page-up address) (* page-size (quotient (+ address page-size -1) page-size)))

(define layout-data-origin page-size)
(define memory-size-address layout-data-origin)
(define (table-size-address index) (+ layout-data-origin 8 (* 8 index)))

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

;; Gives the tables their places from an address on, and the address behind them.
(define (place-tables tables address)
  (let loop ((tables (vector->list tables)) (address address) (places '()))
    (if (null? tables)
        (values (list->vector (reverse places)) address)
        (let ((capacity (capacity (table-type-limits (car tables)))))
          (loop (cdr tables) (+ address (* 8 capacity)) (cons (make-table-place address capacity) places))))))

(define (place-globals m imported address)
  (let loop ((globals (vector->list (module-globals m))) (imported imported) (free 0) (address address) (places '()))
    (if (null? globals)
        (values (list->vector (reverse places)) address)
        (let* ((global (car globals))
               (value (if (pair? imported) (car imported) (global-value global)))
               (rest (if (pair? imported) (cdr imported) '())))
          (cond ((not (global-mutable? global))
                 (loop (cdr globals) rest free address (cons (make-place 'constant value) places)))
                ((< free thread-registers)
                 (loop (cdr globals) rest (+ free 1) address (cons (make-place 'register free) places)))
                (else
                 (loop (cdr globals) rest free (+ address 8) (cons (make-place 'memory address) places))))))))

;; How much the code may take, and constants at most do, for each byte of the module.
(define code-growth 16)
(define constant-growth 8)

;; A power of two that leaves room for both.
(define (memory-address m data-end)
  (let ((needed (+ data-end (* 4 page-size)
                   (* (+ code-growth constant-growth) (u8vector-length (module-bytes m))))))
    (let loop ((address (expt 2 20)))
      (if (< address needed) (loop (* 2 address)) address))))

;; The code for what begins at `base` and ends before the constants that are below `memory`.
(define (code-between m base memory)
  (make-code base (min (expt 2 27)
                       (- memory base page-size (* constant-growth (u8vector-length (module-bytes m)))))))

(define (make-layout m imported-globals rows)
  (let* ((elements (table-size-address (vector-length (module-tables m))))
         (segments (+ elements (* 16 (vector-length (module-elements m)))))
         (globals (+ segments (* 16 (vector-length (module-segments m))))))
    (receive (global-places end) (place-globals m imported-globals globals)
      (receive (table-places end) (place-tables (module-tables m) end)
        (let ((memory (memory-address m end))
              (limits (and (< 0 (vector-length (module-memories m))) (vector-ref (module-memories m) 0))))
          (construct-layout m
                            (vector-map (lambda (signature) (make-label)) (module-functions m))
                            '() imported-globals global-places table-places (make-label)
                            (code-between m (page-up end) memory) memory (or (and limits (limits-most limits)) 65536)
                            elements segments end 0 rows 0 0))))))

(define (table-address layout index) (table-place-address (vector-ref (layout-tables layout) index)))
(define (table-capacity layout index) (table-place-capacity (vector-ref (layout-tables layout) index)))

;; Where the address and the length of a segment stand; the length is that many bytes behind it.
(define (element-address layout index) (+ (layout-elements layout) (* 16 index)))
(define (segment-address layout index) (+ (layout-segments layout) (* 16 index)))
