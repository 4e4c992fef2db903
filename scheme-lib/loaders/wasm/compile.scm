;; A module becomes an image: the bodies of its functions are compiled one after the other, then its segments are put
;; where the layout has them. The image's entry sets the globals, and calls the start function and `_start` if there
;; are such.
(module scheme-lib/loaders/wasm/compile)
(use scheme-lib/util)
(use vm-ext/gambit/vm)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/layout)
(use scheme-lib/loaders/wasm/function)
(use scheme-lib/loaders/wasm/control)
(use scheme-lib/loaders/wasm/access)
(use scheme-lib/loaders/wasm/numeric)
(use scheme-lib/loaders/wasm/variables)
(use scheme-lib/loaders/wasm/tables)
(use scheme-lib/loaders/wasm/routine)
(use scheme-lib/loaders/wasm/dwarf)
(use scheme-lib/loaders/wasm/debug-types)
(use scheme-lib/loaders/wasm/debug-variables)
(use scheme-lib/loaders/wasm/debug-image)
(use scheme-lib/loaders/wasm/operands)
(declare (standard-bindings) (extended-bindings) (block))

;; start: the address of the program's beginning
(define-type program image layout start)

(define most-locals 50000)

;; ---- bodies ------------------------------------------------------------------------------------------

;; The types of all locals. They are declared in groups, (count . type).
(define (read-locals! c signature)
  (let loop ((left (read-u32! c)) (count (vector-length (signature-params signature))) (groups '()))
    (if (= left 0)
        (locals-of signature (reverse groups) count (cursor-at c))
        (let* ((at (cursor-at c)) (n (read-u32! c)) (count (+ count n)))
          (if (> count #xffffffff) (malformed at "too many locals"))
          (loop (- left 1) count (cons (cons n (value-type c)) groups))))))

(define (locals-of signature groups count offset)
  (if (> count most-locals) (malformed offset "implementation limit: more than " most-locals " locals"))
  (let ((types (make-vector count #f)) (params (signature-params signature)))
    (subvector-move! params 0 (vector-length params) types 0)
    (let loop ((groups groups) (at (vector-length params)))
      (if (pair? groups)
          (let ((end (+ at (caar groups))))
            (subvector-fill! types at end (cdar groups))
            (loop (cdr groups) end))))
    types))

;; Behind all code.
(define behind-all (expt 2 40))

;; Goes on to the last of the source lines whose code begins at an offset of the module or before, but in the same body,
;; that from the offset `from` on.
(define (go-to-row! layout at from)
  (let* ((rows (layout-rows layout)) (n (vector-length rows)))
    (define (offset i) (if (< i n) (row-offset (vector-ref rows i)) behind-all))
    (let loop ((i (layout-row layout)))
      (if (<= (offset i) at)
          (loop (+ i 1))
          (let ((row (and (> i 0) (vector-ref rows (- i 1)))))
            (layout-row-set! layout i)
            (layout-next-row-set! layout (offset i))
            (if (and row (row-file row) (>= (row-offset row) from))
                (code-line-set! (layout-code layout) row)
                (no-line! layout)))))))

;; Also looks for the operands of variables, at the next instruction again where they are not known yet.
(define (pass-row! f layout at from)
  (go-to-row! layout at from)
  (let ((operands (layout-operands layout)))
    (if operands
        (begin (place-operands! operands f at)
               (if (operands-waiting? operands) (layout-next-row-set! layout 0))))))

(define (no-line! layout)
  (code-line-set! (layout-code layout) (and (> (vector-length (layout-rows layout)) 0) no-source)))

(define (compile-instructions! f from)
  (let ((c (function-cursor f)) (layout (function-layout f)))
    (let loop ()
      (if (pair? (function-frames f))
          (let* ((at (cursor-at c)) (byte (read-byte! c))
                 (op (if (= byte #xfc) (+ 256 (min 255 (read-u32! c))) byte))
                 (handler (vector-ref handlers op)))
            (function-instruction-set! f at)
            (if (not handler) (malformed at "illegal opcode " (hex byte 2)))
            (if (>= at (layout-next-row layout)) (pass-row! f layout at from))
            (handler f op)
            (loop))))
    (if (> (cursor-left c) 0) (malformed (cursor-at c) "END opcode expected: the function ends before its body does"))))

;; The word in front of a function tells its type.
(define (begin-code! layout signature label)
  (let ((code (layout-code layout)) (id (make-u8vector 4 0)))
    (u8vector-set-le! id 0 4 (signature-id signature))
    (emit-bytes! code id)
    (code-live?-set! code #t)
    (bind-label! code label)))

(define op:trap (opcode 'trap))

;; Locals take no room in a module, but here. All functions together have fewer than this for each byte.
(define locals-a-byte 16)

(define (count-locals! layout types cursor)
  (layout-locals-set! layout (+ (layout-locals layout) (vector-length types)))
  (if (> (layout-locals layout) (+ most-locals (* locals-a-byte (u8vector-length (cursor-bytes cursor)))))
      (malformed (cursor-at cursor) "implementation limit: too many locals in all functions"))
  types)

(define (compile-body! layout index cursor)
  (let* ((m (layout-module layout)) (code (layout-code layout)) (from (cursor-at cursor))
         (signature (vector-ref (module-functions m) index))
         (types (count-locals! layout (read-locals! cursor signature) cursor))
         (f (make-function layout m code cursor signature types)))
    (begin-code! layout signature (vector-ref (layout-functions layout) index))
    (no-line! layout)
    (begin-function! f (signature-results signature))
    (compile-instructions! f from)
    (code-live?-set! code #t)
    (for-each (lambda (trap)
                (bind-label! code (cdr trap))
                (emit! code op:trap (car trap)))
              (function-traps f))
    (flush! code)
    (no-line! layout)))

;; ---- imported functions ------------------------------------------------------------------------------

(define op:hcall (opcode 'hcall))
(define op:ret (opcode 'ret))
(define op:tailr (opcode 'tailr))
(define op:zext32 (opcode 'zext32))

;; A function that is imported is a host call and its return, a routine, or one of another module, to which it leaves
;; its activation.
(define (compile-import! layout index signature what)
  (let ((code (layout-code layout)) (results (signature-results signature)))
    (begin-code! layout signature (vector-ref (layout-functions layout) index))
    (cond ((procedure? what)
           (emit-routine! code (what (layout-memory layout)) (lambda (name) (import-number layout name))))
          ((string? what)
           (emit! code op:hcall 0 (import-number layout what))
           (if (and (= 1 (vector-length results)) (memv (vector-ref results 0) (list type:i32 type:f32)))
               (emit! code op:zext32 1 1))
           (emit! code op:ret))
          (else
           (let ((register (+ 1 (vector-length (signature-params signature)))))
             (emit-constant! code register what)
             (emit! code op:tailr register))))))

;; ---- the beginning -----------------------------------------------------------------------------------

(define op:tset (opcode 'tset))
(define op:st64 (opcode 'st64))
(define op:call (opcode 'call))
(define op:halt (opcode 'halt))

(define (emit-value! layout register value)
  (let ((code (layout-code layout)))
    (cond ((not (vector? value)) (emit-constant! code register value))
          ((eq? 'function (vector-ref value 0))
           (emit-label-address! code register (vector-ref (layout-functions layout) (vector-ref value 1))))
          (else (emit-value! layout register (imported-global layout (vector-ref value 1)))))))

(define (imported-global layout index) (list-ref (layout-imported-globals layout) index))

(define (emit-globals! layout)
  (let ((code (layout-code layout)))
    (let loop ((places (vector->list (layout-globals layout)))
               (globals (vector->list (module-globals (layout-module layout))))
               (imported (layout-imported-globals layout)))
      (if (pair? places)
          (let ((place (car places)) (value (if (pair? imported) (car imported) (global-value (car globals)))))
            (if (not (or (eq? 'constant (place-kind place)) (place? value)))
                (begin
                  (emit-value! layout 1 value)
                  (if (eq? 'register (place-kind place))
                      (emit! code op:tset (place-value place) 1)
                      (emit! code op:st64 0 1 (zigzag (place-value place))))))
            (loop (cdr places) (cdr globals) (if (pair? imported) (cdr imported) '())))))))

(define (exported-function m name)
  (let ((export (find (lambda (export) (and (eq? 'function (export-kind export)) (string=? name (export-name export))))
                      (vector->list (module-exports m)))))
    (and export (export-index export))))

(define (emit-call! layout index)
  (if index (branch! (layout-code layout) op:call 1 #f (vector-ref (layout-functions layout) index))))

(define (emit-entry! layout)
  (let ((code (layout-code layout)) (entry (make-label)) (m (layout-module layout)))
    (code-live?-set! code #t)
    (bind-label! code entry)
    (emit-globals! layout)
    (emit-call! layout (module-start m))
    (emit-call! layout (exported-function m "_start"))
    (emit! code op:halt)
    (flush! code)
    (label-address code entry)))

;; ---- segments ----------------------------------------------------------------------------------------

;; The bits of a constant expression's value, when all code has its place.
(define (constant-bits layout value)
  (cond ((not (vector? value)) value)
        ((eq? 'function (vector-ref value 0))
         (label-address (layout-code layout) (vector-ref (layout-functions layout) (vector-ref value 1))))
        (else (value-of-global layout (vector-ref value 1)))))
(define (value-of-global layout index) (constant-bits layout (imported-global layout index)))

(define (put! bytes origin address number)
  (u8vector-set-le! bytes (- address origin) 8 number))

;; The address behind what the data section has besides zeros: its words, and elements of tables.
(define (content-end layout)
  (let* ((m (layout-module layout)) (tables (vector-length (module-tables m))))
    (fold (lambda (element end)
            (if (and (eq? 'active (element-mode element)) (not (layout-shared? layout)))
                (let* ((offset (constant-bits layout (element-offset element)))
                       (table (element-table element))
                       (last (+ offset (vector-length (element-items element)))))
                  (if (<= last (table-capacity layout table))
                      (max end (+ (table-address layout table) (* 8 last)))
                      end))
                end))
          (if (and (> tables 0) (not (layout-shared? layout))) (table-address layout 0) (layout-data-end layout))
          (vector->list (module-elements m)))))

;; Active segments of elements, in order, into the bytes of the data section.
(define (put-elements! layout bytes)
  (let ((m (layout-module layout)))
    (vector-for-each
     (lambda (element)
       (if (eq? 'active (element-mode element))
           (let* ((table (element-table element))
                  (offset (constant-bits layout (element-offset element)))
                  (size (limits-least (table-type-limits (vector-ref (module-tables m) table)))))
             (if (> (+ offset (vector-length (element-items element))) size)
                 (trapped "out of bounds table access"))
             (put-items! layout bytes (layout-origin layout) (+ (table-address layout table) (* 8 offset))
                         (element-items element)))))
     (module-elements m))))

(define (put-items! layout bytes origin address items)
  (do ((i 0 (+ i 1))) ((= i (vector-length items)))
    (put! bytes origin (+ address (* 8 i)) (constant-bits layout (vector-ref items i)))))

(define (active-segments m)
  (filter (lambda (segment) (eq? 'active (segment-mode segment))) (vector->list (module-segments m))))

(define (segment-length segment) (- (segment-end segment) (segment-start segment)))

;; The memory's pages that segments write to, by number.
(define (memory-pages layout)
  (let* ((m (layout-module layout))
         (limits (memory-limits m))
         (size (if limits (* page-size (limits-least limits)) 0))
         (most (+ 4096 (quotient (u8vector-length (module-bytes m)) (quotient page-size 2))))
         (pages (make-table)))
    (define (page number)
      (or (table-ref pages number #f)
          (let ((bytes (make-u8vector page-size 0)))
            (if (>= (table-length pages) most) (malformed 0 "implementation limit: data in too many places"))
            (table-set! pages number bytes)
            bytes)))
    (for-each
     (lambda (segment)
       (let ((offset (constant-bits layout (segment-offset segment))) (end (segment-end segment)))
         (if (> (+ offset (segment-length segment)) size) (trapped "out of bounds memory access"))
         (let loop ((from (segment-start segment)) (offset offset))
           (if (< from end)
               (let* ((within (modulo offset page-size)) (n (min (- end from) (- page-size within))))
                 (subu8vector-move! (module-bytes m) from (+ from n) (page (quotient offset page-size)) within)
                 (loop (+ from n) (+ offset n)))))))
     (active-segments m))
    pages))

;; Sections for the memory: each begins with pages that have content, and goes on to where the next one begins.
(define (memory-sections! image layout pages)
  (let* ((limits (memory-limits (layout-module layout)))
         (numbers (sort (map car (table->list pages)) <))
         (end (limits-least limits)))
    (let loop ((at 0) (numbers numbers))
      (let run ((next at) (rest numbers) (content '()))
        (if (and (pair? rest) (= next (car rest)))
            (run (+ next 1) (cdr rest) (cons (table-ref pages next) content))
            (let ((to (if (pair? rest) (car rest) end)) (bytes (u8vector-concatenate (reverse content))))
              (section! image "memory" (+ (layout-memory layout) (* page-size at)) bytes (* page-size (- to at))
                        read-write)
              (if (pair? rest) (loop to rest))))))))

;; What the program may still copy from: passive segments, one behind the other from an address on, in a list; where
;; they stand is written into the data section's bytes.
(define (passive-parts layout data address)
  (let ((m (layout-module layout)))
    (define (note! place address length)
      (put! data (layout-origin layout) place address)
      (put! data (layout-origin layout) (+ place 8) length))
    (let loop ((i 0) (address address) (parts '()))
      (if (< i (vector-length (module-elements m)))
          (let ((element (vector-ref (module-elements m) i)))
            (if (eq? 'passive (element-mode element))
                (let* ((count (vector-length (element-items element))) (bytes (make-u8vector (* 8 count) 0)))
                  (put-items! layout bytes 0 0 (element-items element))
                  (note! (element-address layout i) address count)
                  (loop (+ i 1) (+ address (* 8 count)) (cons bytes parts)))
                (loop (+ i 1) address parts)))
          (let loop ((i 0) (address address) (parts parts))
            (if (< i (vector-length (module-segments m)))
                (let ((segment (vector-ref (module-segments m) i)))
                  (if (eq? 'passive (segment-mode segment))
                      (begin
                        (note! (segment-address layout i) address (segment-length segment))
                        (loop (+ i 1) (+ address (segment-length segment))
                              (cons (subu8vector (module-bytes m) (segment-start segment) (segment-end segment))
                                    parts)))
                      (loop (+ i 1) address parts)))
                (reverse parts)))))))

;; ---- the image ---------------------------------------------------------------------------------------

(define read-write 3)
(define read-execute 5)
(define read-only 1)

(define (section! image name address bytes length protection)
  (if (> length 0) (vm-image-add-section image name address bytes length protection)))

;; Bytes without zeros at the end, which are there anyhow.
(define (without-zeros bytes)
  (let loop ((end (u8vector-length bytes)))
    (if (and (> end 0) (= 0 (u8vector-ref bytes (- end 1)))) (loop (- end 1)) (subu8vector bytes 0 end))))

;; A name that an image takes.
(define (clean-name name)
  (let ((visible (list->string (filter (lambda (c) (not (control-character? c))) (string->list name)))))
    (if (string=? visible "") "?" (substring visible 0 (min 200 (string-length visible))))))

;; One that no other symbol has.
(define (symbol-name name used)
  (let ((name (clean-name name)))
    (let loop ((candidate name) (n 2))
      (if (table-ref used candidate #f)
          (loop (text name "." n) (+ n 1))
          (begin (table-set! used candidate #t) candidate)))))

(define (add-symbols! image layout entry variables)
  (let* ((m (layout-module layout)) (used (make-table)) (code (layout-code layout))
         (names (make-vector (module-function-count m) #f)))
    (define (add! name address)
      (let ((name (symbol-name name used)))
        (vm-image-add-symbol image name address)
        name))
    (if (memory-limits m) (add! "memory" (layout-memory layout)))
    (add! "entry" entry)
    (vector-for-each
     (lambda (export)
       (if (and (eq? 'function (export-kind export)) (not (table-ref (module-names m) (export-index export) #f)))
           (table-set! (module-names m) (export-index export) (export-name export))))
     (module-exports m))
    (do ((i 0 (+ i 1))) ((= i (module-function-count m)))
      (vector-set! names i
        (add! (module-function-name m i) (label-address code (vector-ref (layout-functions layout) i)))))
    ;; What the linker left out has an address that no memory has.
    (let* ((limits (memory-limits m)) (end (+ (layout-memory layout) (if limits (* page-size (limits-least limits)) 0))))
      (add-variables! image layout variables names
                      (lambda (name address) (and (< address end) (add! name address)))))))

;; The source lines, a file after the other.
(define (add-lines! image layout)
  (let ((base (code-base (layout-code layout))) (files (make-table)) (known (make-table test: eq?)))
    ;; (NAME entry …) of a file. Rows share the texts of their files' names.
    (define (lines-of file)
      (or (table-ref known file #f)
          (let* ((name (clean-name file)) (lines (or (table-ref files name #f) (list name))))
            (table-set! files name lines)
            (table-set! known file lines)
            lines)))
    (for-each (lambda (entry)
                (let ((lines (lines-of (row-file (cdr entry)))))
                  (set-cdr! lines (cons entry (cdr lines)))))
              (code-lines (layout-code layout)))
    (for-each
     (lambda (lines)
       (let* ((entries (cdr lines)) (count (length entries)) (bytes (make-u8vector (* 16 count))))
         (for-each
          (lambda (entry i)
            (u8vector-set-le! bytes (* 16 i) 8 (+ base (car entry)))
            (u8vector-set-le! bytes (+ 8 (* 16 i)) 4 (row-line (cdr entry)))
            (u8vector-set-le! bytes (+ 12 (* 16 i)) 4 (row-column (cdr entry))))
          entries (iota count))
         (vm-image-add-lines image (car lines) bytes count)))
     (map cdr (table->list files)))))

(define (build-image layout entry variables)
  (let* ((m (layout-module layout)) (code (layout-code layout)) (image (vm-image-new))
         (data (make-u8vector (- (content-end layout) (layout-origin layout)) 0))
         (code-end (+ (code-base code) (code-at code)))
         (constants (page-up code-end))
         (memory (fill-data! layout data))
         (parts (u8vector-concatenate (passive-parts layout data constants))))
    (section! image "data" (layout-origin layout) (without-zeros data) (- (layout-data-end layout) (layout-origin layout))
              read-write)
    (section! image "code" (code-base code) (subu8vector (code-bytes code) 0 (code-at code)) (code-at code)
              read-execute)
    (section! image "constants" constants parts (u8vector-length parts) read-only)
    (if (and (memory-limits m) (own-memory? layout)) (memory-sections! image layout memory))
    (for-each (lambda (name) (vm-image-add-import image name)) (import-names layout))
    (add-symbols! image layout entry variables)
    (add-lines! image layout)
    (vm-image-set-entry image entry)
    image))

;; Fills the data section, and gives the memory's pages; elements come before data, as instantiation has it. What is
;; shared with other modules gets its content when they all are there: see instance.scm.
(define (fill-data! layout data)
  (let* ((m (layout-module layout)) (limits (memory-limits m)) (origin (layout-origin layout)))
    (if (and limits (own-memory? layout)) (put! data origin (memory-size-address layout) (limits-least limits)))
    (do ((i 0 (+ i 1))) ((= i (vector-length (module-tables m))))
      (if (own-table? layout i)
          (put! data origin (table-size-address layout i)
                (limits-least (table-type-limits (vector-ref (module-tables m) i))))))
    (if (layout-shared? layout)
        (make-table)
        (begin (put-elements! layout data)
               (memory-pages layout)))))

(define (wasm-compile m linkage)
  (let* ((layout (make-layout m linkage)) (functions (linkage-functions linkage)) (imported (length functions))
         (variables (module-variables layout)))
    (note-boundaries! layout variables)
    (for-each (lambda (index import what) (compile-import! layout index (import-type import) what))
              (iota imported) (module-imported m 'function) functions)
    (do ((i 0 (+ i 1))) ((= i (vector-length (module-bodies m))))
      (compile-body! layout (+ imported i) (vector-ref (module-bodies m) i)))
    (if (label-used? (layout-grow layout))
        (begin (code-live?-set! (layout-code layout) #t)
               (bind-label! (layout-code layout) (layout-grow layout))
               (emit-routine! (layout-code layout) (grow-routine layout) (lambda (name) (import-number layout name)))))
    (let ((entry (emit-entry! layout)))
      (make-program (build-image layout entry variables) layout entry))))
