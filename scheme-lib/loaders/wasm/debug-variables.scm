;; The variables of a C program, from what DWARF says of them: those with an address, and for each function those that
;; it names, with where their values are at which of its instructions.
;;
;;   (define v (read-variables m memory (lambda (global) 't0)))
;;   (variables-globals v)  (variables-frames v)
;;
;; A place is written as in frames, see debugger/README.md: a register, (at TERM ...) or (is TERM ...); a register may be
;; an operand, see operands.scm, whose place is known once the code was compiled. Code is told by offsets in the module's
;; file. What is wrong in a unit costs its names from there on, and nothing else.
(module scheme-lib/loaders/wasm/debug-variables)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/debug-info)
(use scheme-lib/loaders/wasm/debug-types)
(use scheme-lib/loaders/wasm/operands)
(declare (standard-bindings) (extended-bindings) (block))

;; views: of the types, by name; boundaries: the offsets where something begins or ends to hold, ascending; operands: of
;; those, in a table, with the operands that begin there
(define-type variables constructor: make-variables globals frames views boundaries operands)
;; address: an offset in the linear memory
(define-type global-variable constructor: make-global-variable name address view)
;; end: where the function's body ends
(define-type frame constructor: make-frame end locals)
;; It is in scope from low to high; places: ((low high . place) …) in there
(define-type local constructor: make-local name view low high places)

(define at:location #x02)
(define at:const-value #x1c)
(define at:frame-base #x40)
(define at:abstract-origin #x31)
(define at:specification #x47)
(define at:type #x49)

(define tag:parameter #x05)
(define tag:block #x0b)
(define tag:inlined #x1d)
(define tag:function #x2e)
(define tag:variable #x34)

;; ---- expressions -------------------------------------------------------------------------------------

;; What an expression says, on the little stack that compilers need here: terms that are added up, and whether that is
;; the value itself, or where it is in memory. memory: where that begins; frame: the terms of the frame's base, or #f.
;; Gives a place, or #f for what is more than that.
(define (expression->place context unit c memory frame)
  ;; kind: address where a term of memory came first, which it is else only by what does not follow
  (let loop ((terms #f) (kind 'value))
    (define (push term) (and term (loop (list term) 'value)))
    (define (add term) (and terms (loop (cons term terms) kind)))
    (if (= 0 (cursor-left c))
        (and terms
             (if (and (eq? kind 'value) (< (unit-version unit) 4))    ; which cannot say so
                 (value-place (summed terms))
                 (cons 'at (summed (cons memory terms)))))
        (let ((op (read-byte! c)))
          (if (<= #x30 op #x4f)
              (push (- op #x30))
              (case op
                ((#x03) (loop (list (read-bits! c 4)) 'address))
                ((#xa1) (loop (list (unit-address unit (read-u32! c))) 'address))
                ((#x91) (let ((offset (read-s64! c))) (and frame (loop (cons offset frame) 'address))))
                ((#x08) (push (read-bits! c 1)))
                ((#x09) (push (signed (read-bits! c 1) 8)))
                ((#x0a) (push (read-bits! c 2)))
                ((#x0b) (push (signed (read-bits! c 2) 16)))
                ((#x0c) (push (read-bits! c 4)))
                ((#x0d) (push (signed (read-bits! c 4) 32)))
                ((#x0e #x0f) (push (read-bits! c 8)))
                ((#x10) (push (read-u64! c)))
                ((#x11) (push (read-s64! c)))
                ((#x23) (add (read-u64! c)))
                ((#xed) (push (wasm-location! c (context-global context))))
                ((#x9f) (and terms (= 0 (cursor-left c)) (value-place (summed terms))))
                (else #f)))))))

(define (signed n bits) (if (>= n (expt 2 (- bits 1))) (- n (expt 2 bits)) n))

;; Locals have a register each.
(define (wasm-location! c global)
  (case (read-byte! c)
    ((0) (string->symbol (string-append "r" (number->string (+ 1 (read-u32! c))))))
    ((1) (global (read-u32! c)))
    ((2) (make-operand (read-u32! c) #f #f))
    ((3) (global (read-bits! c 4)))
    (else (read-u32! c) #f)))

;; With one number at most, behind the registers.
(define (summed terms)
  (let ((number (apply + (filter integer? terms))) (registers (remove integer? terms)))
    (if (and (= number 0) (pair? registers)) registers (append registers (list number)))))

(define (value-place terms)
  (if (and (null? (cdr terms)) (not (integer? (car terms)))) (car terms) (cons 'is terms)))

;; ---- variables ---------------------------------------------------------------------------------------

;; context: what is the same for a whole module. start: where the code section is in the file; bounds: a byte for each
;; offset in the file, 1 for a boundary; operands: as in variables; left: how many places there may still be, for lists may
;; be shared
(define-type context constructor: make-context types memory global start bounds operands left)

(define (count-place! context)
  (context-left-set! context (- (context-left context) 1))
  (if (< (context-left context) 0) (malformed 0 "too many places of variables")))

;; A boundary's offset in the file, from that in the code section.
(define (at-file! context offset)
  (let* ((bounds (context-bounds context))
         (moved (min (+ offset (context-start context)) (- (u8vector-length bounds) 1))))
    (u8vector-set! bounds moved 1)
    moved))

(define (declared-type context unit entry)
  (let loop ((entry entry) (left 8))
    (cond ((or (not entry) (= left 0)) '(bytes 0))
          ((entry-reference unit entry at:type) (type-view (context-types context) unit entry))
          (else (loop (or (entry-reference unit entry at:abstract-origin) (entry-reference unit entry at:specification))
                      (- left 1))))))

;; ((low high . place) …); low and high of code.
(define (places-of context unit entry view scope frame)
  (define (place c) (expression->place context unit c (context-memory context) frame))
  (define (usable place) (and place (or (eq? 'at (place-kind place)) (view-in-register? view)) place))
  (define (row low high place)
    (count-place! context)
    (let ((begin (at-file! context low)) (operands (context-operands context)))
      (for-each (lambda (operand) (table-set! operands begin (cons operand (table-ref operands begin '()))))
                (operands-of place))
      (cons* begin (at-file! context high) place)))
  (let ((location (entry-attribute unit entry at:location)) (constant (entry-attribute unit entry at:const-value)))
    (cond ((block? location)
           (let ((found (usable (place location)))) (if found (list (row (car scope) (cdr scope) found)) '())))
          (location
           (filter-map (lambda (row-found)
                         (let ((low (max (car scope) (car row-found))) (high (min (cdr scope) (cadr row-found)))
                               (found (usable (place (cddr row-found)))))
                           (and found (< low high) (row low high found))))
                       (attribute-locations unit entry at:location)))
          ((and (integer? constant) (view-in-register? view)) (list (row (car scope) (cdr scope) (list 'is constant))))
          (else '()))))

(define (place-kind place) (if (pair? place) (car place) place))

;; A block of bytes, as against the offset or index of a list.
(define (block? value) (and (vector? value) (u8vector? (vector-ref value 0))))

(define (locals-of-entry context unit entry scopes frame)
  (let ((name (entry-name unit entry)))
    (if (not name)
        '()
        (let ((view (declared-type context unit entry)))
          (map (lambda (scope)
                 (make-local name view (at-file! context (car scope)) (at-file! context (cdr scope))
                             (places-of context unit entry view scope frame)))
               scopes)))))

;; All below an entry, those of inner blocks behind those of outer ones.
(define (locals-below context unit entry scopes frame)
  (append-map
   (lambda (child)
     (let ((tag (entry-tag child)))
       (cond ((or (= tag tag:parameter) (= tag tag:variable)) (locals-of-entry context unit child scopes frame))
             ((or (= tag tag:block) (= tag tag:inlined))
              (let ((ranges (entry-ranges unit child)))
                (locals-below context unit child (if (null? ranges) scopes ranges) frame)))
             (else '()))))
   (entry-children entry)))

;; The terms that a frame's base is the sum of, or #f.
(define (frame-base context unit entry)
  (let ((base (entry-attribute unit entry at:frame-base)))
    (and (block? base)
         (let ((place (expression->place context unit base 0 #f)))
           (cond ((or (symbol? place) (operand? place)) (list place))
                 ((and (pair? place) (eq? 'is (car place))) (cdr place))
                 (else #f))))))

;; The frame of a function that is there, or #f: what the linker left out is said to be at 0.
(define (function-frame context unit entry)
  (let ((range (entry-range unit entry)))
    (and range
         (> (car range) 0)
         (let ((locals (locals-below context unit entry (list range) (frame-base context unit entry))))
           (and (pair? locals)
                (make-frame (+ (context-start context) (cdr range)) locals))))))

(define (global-of context unit entry)
  (let ((location (entry-attribute unit entry at:location)) (name (entry-name unit entry)))
    (and name
         (block? location)
         (let ((place (expression->place context unit location 0 #f)))
           (and (pair? place)
                (eq? 'at (car place))
                (integer? (cadr place))
                (make-global-variable name (cadr place) (declared-type context unit entry)))))))

;; memory: the address where the linear memory begins; global: number -> the place of a global's value, or #f
(define (read-variables m memory global)
  (let* ((types (make-types memory)) (size (u8vector-length (module-bytes m))) (globals '()) (frames '())
         (bounds (make-u8vector (+ size 1) 0))
         (operands (make-table))
         (context (make-context types memory global (module-code-start m) bounds operands (+ 1000 size))))
    (define (walk unit entry)
      (let ((tag (entry-tag entry)))
        (if (= tag tag:variable)
            (let ((found (global-of context unit entry))) (if found (set! globals (cons found globals)))))
        (if (= tag tag:function)
            (let ((found (function-frame context unit entry))) (if found (set! frames (cons found frames)))))
        (for-each (lambda (child) (walk unit child)) (entry-children entry))))
    (with-exception-catcher
     (lambda (e) (if (not (wasm-error? e)) (raise e)))
     (lambda () (for-each-unit m walk)))
    (make-variables (reverse globals) (reverse frames) (types-views types) (marked bounds) operands)))

;; The indices of what is 1.
(define (marked bytes)
  (let loop ((i (- (u8vector-length bytes) 1)) (found '()))
    (cond ((< i 0) found)
          ((= 1 (u8vector-ref bytes i)) (loop (- i 1) (cons i found)))
          (else (loop (- i 1) found)))))
