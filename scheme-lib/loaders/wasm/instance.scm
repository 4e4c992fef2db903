;; An instance is a module in a machine. Several in one machine are linked: what one imports of another is that one's
;; own memory, table, global or function.
;;
;;   (define i (wasm-instantiate "counter.wasm" `(("env" "log" ,(lambda (n) (pp n))))))
;;   (wasm-call i "add" 1 2)     => 3
;;   (wasm-machine i)            the machine, for the debugger and all else
(module scheme-lib/loaders/wasm/instance)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/layout)
(use scheme-lib/loaders/wasm/compile)
(use scheme-lib/loaders/wasm/values)
(use scheme-lib/loaders/wasm/wasi)
(use scheme-lib/loaders/wasm/text-format)
(declare (block))

;; What instances in one machine share. count: how many there are; end: where the last one's part of the address space
;; ends; registers: how many thread registers hold globals of theirs; references: see values; signatures: see
;; read-module; threads: those of the calls that are under way, the innermost first, for a function that a module imports
;; may call it again
(define-type store count end registers references signatures threads)

(define stores (make-table test: eq? weak-keys: #t))

(define (store-of machine)
  (or (table-ref stores machine #f)
      (let ((store (make-store 0 0 0 (make-reference-table) (make-table) '())))
        (table-set! stores machine store)
        store)))

(define-type instance
  constructor: construct-instance
  module program (machine unprintable:) (store unprintable:))

(define (instance-references instance) (store-references (instance-store instance)))

(define wasm-instance? instance?)

(define-documented (wasm-machine instance)
  "The machine that an instance lives in."
  (instance-machine instance))

;; ---- imports -----------------------------------------------------------------------------------------

;; Bits that are to be taken as they are, of a global or a result.
(define-type raw constructor: imported-bits bits)

(define (import->text import)
  (text (import-kind import) " " (import-name import) " of module " (import-module import)))

(define (find-entry imports import)
  (find (lambda (entry)
          (and (string=? (car entry) (import-module import)) (string=? (cadr entry) (import-name import))))
        imports))

(define (import-value imports import)
  (let ((found (find-entry imports import)))
    (and found (given-value import (caddr found)))))

(define (unknown import) (unlinkable "unknown import: " (import->text import)))

(define (find-import imports import) (or (import-value imports import) (unknown import)))

;; What serves an imported function, as wasm-compile takes it: the host call of a procedure, one that was named, what
;; the system has, or the address of another instance's.
(define (function-for imports import name)
  (let ((value (import-value imports import)))
    (cond ((procedure? value) name)
          ((or (string? value) (and (integer? value) (exported? (caddr (find-entry imports import))))) value)
          (value (incompatible import))
          (else (or (system-function (import-module import) (import-name import)) (unknown import))))))

(define (incompatible import)
  (unlinkable "incompatible import type: " (import->text import)))

;; What an instance exports: its kind, its type as in module.scm, and the value that is given otherwise; of a memory, a
;; table or a mutable global its place. machine: the only one where that means something, or #f.
(define-type exported constructor: make-exported kind type value machine)

(define (given-value import found)
  (if (exported? found)
      (begin
        (if (not (and (eq? (import-kind import) (exported-kind found))
                      (same-type? (import-kind import) (exported-type found) (import-type import))))
            (incompatible import))
        (exported-value found))
      found))

;; The machine of what is imported from instances, or #f.
(define (machine-of-imports m imports)
  (let ((machines (filter-map
                   (lambda (import)
                     (let ((entry (find-entry imports import)))
                       (and entry (exported? (caddr entry)) (exported-machine (caddr entry)))))
                   (vector->list (module-imports m)))))
    (and (pair? machines)
         (begin
           (if (not (every (lambda (machine) (eq? machine (car machines))) machines))
               (unlinkable "instances of several machines cannot be linked: make them with one machine"))
           (car machines)))))

(define (same-type? kind have need)
  (case kind
    ((function) (and (equal? (signature-params have) (signature-params need))
                     (equal? (signature-results have) (signature-results need))))
    ((global) (and (eqv? (global-type have) (global-type need))
                   (eq? (global-mutable? have) (global-mutable? need))))
    ((table) (eqv? (table-type-element have) (table-type-element need)))
    (else #t)))

(define (within? least most need)
  (and (>= least (limits-least need))
       (or (not (limits-most need)) (and most (<= most (limits-most need))))))

;; What a memory or table is: a place, or #f for one of the module's own, in which case the limits that were given,
;; (least most), replace those that the import asks for.
(define (shared-place import given need machine)
  (define (within size most) (if (not (within? size most need)) (incompatible import)))
  (cond ((memory-place? given) (within (machine-peek machine (memory-place-size given)) (memory-place-most given)) given)
        ((table-place? given) (within (machine-peek machine (table-place-size given)) (table-place-most given)) given)
        ((not (pair? given)) (incompatible import))
        (else
         (within (car given) (cadr given))
         (limits-least-set! need (car given))
         (limits-most-set! need (cadr given))
         #f)))

(define (as-bits type value references)
  (if (raw? value) (raw-bits value) (value->bits type value references)))

(define (global-for import value references)
  (cond ((place? value) value)
        ((or (procedure? value) (string? value) (pair? value)) (incompatible import))
        (else (as-bits (global-type (import-type import)) value references))))

;; Lets programs call a procedure as the function that is imported. Further results go into registers behind the first.
(define (serve! instance name import procedure)
  (let* ((machine (instance-machine instance))
         (signature (import-type import))
         (params (vector->list (signature-params signature)))
         (results (vector->list (signature-results signature)))
         (references (instance-references instance)))
    (machine-host-call! machine name (length params)
      (lambda (machine . bits)
        (let* ((value (apply procedure (map (lambda (type bits) (bits->value type bits references)) params bits)))
               (values (if (= 1 (length results)) (list value) (if (null? results) '() value)))
               (thread (car (store-threads (instance-store instance)))))
          (if (not (and (list? values) (= (length values) (length results))))
              (error (text "WebAssembly: the imported " (import->text import) " has to give a list of "
                           (length results) " values")))
          (let ((bits (map (lambda (type value) (as-bits type value references)) results values)))
            (for-each (lambda (register bits) (machine-register-set! machine register bits 0 thread))
                      (iota (max 0 (- (length bits) 1)) 2)
                      (if (pair? bits) (cdr bits) '()))
            (if (pair? bits) (car bits) 0)))))))

;; ---- making one --------------------------------------------------------------------------------------

;; The fast window of a machine: seven modules with a memory of their own find room there, and any number without.
(define window (expt 2 36))

(define (linkage-for m imports machine store)
  (let ((functions (module-imported m 'function))
        (given (lambda (import) (find-import imports import))))
    (make-linkage
     (+ page-size (store-end store))
     (store-registers store)
     (if (= 0 (store-count store)) '() (machine-import-list machine))
     (map (lambda (import index) (function-for imports import (host-call-name store index)))
          functions (iota (length functions)))
     (map (lambda (import) (global-for import (given import) (store-references store))) (module-imported m 'global))
     (let ((memories (module-imported m 'memory)))
       (and (pair? memories)
            (shared-place (car memories) (given (car memories)) (import-type (car memories)) machine)))
     (map (lambda (import) (shared-place import (given import) (table-type-limits (import-type import)) machine))
          (module-imported m 'table)))))

(define (binary-of what)
  (let ((bytes (if (string? what) (read-file-bytes what) what)))
    (if (wasm-text? bytes) (wasm-text->bytes bytes (and (string? what) what)) bytes)))

(define (host-call-name store index) (text "wasm." (store-count store) "." index))

(define (machine-import-list machine)
  (let loop ((n 0) (names '()))
    (let ((name (machine-host-call-name machine n)))
      (if name (loop (+ n 1) (cons name names)) (reverse names)))))

(define-documented (wasm-instantiate what #!optional (imports '()) (machine #f))
  "Compiles a module, loads it into a machine and runs its start function. WHAT is a path or bytes, of text too; IMPORTS a list of
(module name value): what wasm-export gives of another instance; for a function also a procedure, which gives its result
(of several a list), or the name of a standard host call as a string; for a global its value; for a memory or a table its
limits, (least most), of which this instance gets its own. Functions that are not in the list are those of WASI preview
1, and of the module `comet` the standard host calls. The machine is MACHINE, that of the instances it imports from, or
a new one."
  (let* ((bytes (binary-of what))
         (machine (or machine (machine-of-imports (read-module bytes) imports)
                      (make-machine window: window)))
         (store (store-of machine))
         (m (read-module bytes (store-signatures store)))
         (other (machine-of-imports m imports)))
    (if (and other (not (eq? other machine)))
        (unlinkable "instances of several machines cannot be linked: make them with one machine"))
    (let* ((program (wasm-compile m (linkage-for m imports machine store)))
           (instance (construct-instance m program machine store))
           (functions (module-imported m 'function)))
      (for-each (lambda (import index)
                  (let ((value (import-value imports import)))
                    (if (procedure? value)
                        (serve! instance (host-call-name store index) import value))))
                functions (iota (length functions)))
      (load-image! machine (program-image program) (= 0 (store-count store)))
      (store-count-set! store (+ 1 (store-count store)))
      (store-end-set! store (layout-end (program-layout program)))
      (store-registers-set! store (layout-registers (program-layout program)))
      (if (layout-shared? (program-layout program)) (put-segments! instance))
      (run-from! instance (program-start program) '() (lambda (thread) #t))
      instance)))

;; Loading makes thread 0 begin anew; the others' globals in its registers stay.
(define (load-image! machine image first?)
  (let ((globals (thread-registers machine 0)))
    (machine-load! machine image reset: first?)
    (if (not first?) (set-thread-registers! machine 0 globals))))

;; Active segments, in order, into what is there, of whichever module that is.
(define (put-segments! instance)
  (let* ((m (instance-module instance)) (machine (instance-machine instance))
         (layout (program-layout (instance-program instance))))
    (vector-for-each
     (lambda (element)
       (if (eq? 'active (element-mode element))
           (let* ((table (element-table element)) (offset (constant-bits layout (element-offset element)))
                  (items (element-items element)))
             (if (> (+ offset (vector-length items)) (machine-peek machine (table-size-address layout table)))
                 (trapped "out of bounds table access"))
             (do ((i 0 (+ i 1))) ((= i (vector-length items)))
               (machine-poke! machine (+ (table-address layout table) (* 8 (+ offset i)))
                              (constant-bits layout (vector-ref items i)))))))
     (module-elements m))
    (vector-for-each
     (lambda (segment)
       (if (eq? 'active (segment-mode segment))
           (let ((offset (constant-bits layout (segment-offset segment)))
                 (bytes (subu8vector (module-bytes m) (segment-start segment) (segment-end segment))))
             (if (> (+ offset (u8vector-length bytes)) (* page-size (machine-peek machine (memory-size-address layout))))
                 (trapped "out of bounds memory access"))
             (machine-memory-set! machine (+ (layout-memory layout) offset) bytes))))
     (module-segments m))))

(define-documented (wasm-check bytes)
  "Reads, validates and compiles a module whatever it imports; what is wrong with it is an error."
  (let* ((m (read-module bytes)) (functions (module-imported m 'function)))
    (wasm-compile m (lone-linkage (map (lambda (import) "none") functions)
                                  (map (lambda (import) 0) (module-imported m 'global))))
    (void)))

;; ---- calling -----------------------------------------------------------------------------------------

(define (instance-export instance kind name)
  (let ((export (find (lambda (export) (and (eq? kind (export-kind export)) (string=? name (export-name export))))
                      (vector->list (module-exports (instance-module instance))))))
    (if (not export) (error (text "WebAssembly: the module exports no " kind " `" name "`"
                                  (did-you-mean name (wasm-exports instance)))))
    (export-index export)))

(define-documented (wasm-exports instance)
  "The names of what an instance exports."
  (map export-name (vector->list (module-exports (instance-module instance)))))

(define registers-of-thread (map (lambda (n) (string->symbol (text "t" n))) (iota 16)))

(define (thread-registers machine thread)
  (map (lambda (register) (machine-register machine register 0 thread)) registers-of-thread))

(define (set-thread-registers! machine thread values)
  (for-each (lambda (register value) (machine-register-set! machine register value 0 thread))
            registers-of-thread values))

;; Runs code with arguments in r1, ... to its return, in a thread that is not in use. Globals are in thread registers,
;; so they go along.
(define (run-from! instance address arguments receive-results)
  (let* ((machine (instance-machine instance))
         (store (instance-store instance))
         (outer (store-threads store))
         (globals (thread-registers machine (current-thread-of instance)))
         (thread (if (null? outer) 0 (machine-make-thread! machine address))))
    (dynamic-wind
     (lambda () (store-threads-set! store (cons thread outer)))
     (lambda ()
       (if (null? outer) (machine-restart! machine address))
       (set-thread-registers! machine thread globals)
       (for-each (lambda (n bits) (machine-register-set! machine n bits 0 thread))
                 (iota (length arguments) 1) arguments)
       (let ((stop (machine-run! machine #f thread)))
         (if (not (eq? 'halted (stop-reason stop))) (trapped (instance-trap-text instance stop)))
         (receive-results thread)))
     (lambda ()
       (store-threads-set! store outer)
       (if (pair? outer)
           (begin (set-thread-registers! machine (car outer) (thread-registers machine thread))
                  (machine-free-thread! machine thread)))))))

(define (current-thread-of instance)
  (let ((threads (store-threads (instance-store instance)))) (if (null? threads) 0 (car threads))))

;; The results' bits of a function, by its number, for the bits of its arguments.
(define (instance-call-bits instance index arguments)
  (let* ((m (instance-module instance)) (machine (instance-machine instance))
         (layout (program-layout (instance-program instance)))
         (results (vector-length (signature-results (vector-ref (module-functions m) index)))))
    (run-from! instance
               (label-address (layout-code layout) (vector-ref (layout-functions layout) index))
               arguments
      (lambda (thread) (map (lambda (n) (machine-register machine n 0 thread)) (iota results 1))))))

(define-documented (wasm-call instance name #!rest arguments)
  "Calls a function that an instance exports. Its result; of several a list, of none nothing. A trap is an error in
WebAssembly's words."
  (let* ((index (instance-export instance 'function name))
         (signature (vector-ref (module-functions (instance-module instance)) index))
         (references (instance-references instance))
         (params (vector->list (signature-params signature))))
    (if (not (= (length params) (length arguments)))
        (error (text "WebAssembly: `" name "` takes " (length params) " arguments, not " (length arguments))))
    (let* ((bits (instance-call-bits instance index
                   (map (lambda (type value) (value->bits type value references)) params arguments)))
           (values (map (lambda (type bits) (bits->value type bits references))
                        (vector->list (signature-results signature)) bits)))
      (cond ((null? values) (void))
            ((null? (cdr values)) (car values))
            (else values)))))

;; ---- globals -----------------------------------------------------------------------------------------

(define (instance-global-bits instance index)
  (let* ((layout (program-layout (instance-program instance))) (machine (instance-machine instance))
         (place (vector-ref (layout-globals layout) index)))
    (case (place-kind place)
      ((register)
       (machine-register machine (list-ref registers-of-thread (place-value place)) 0 (current-thread-of instance)))
      ((memory) (machine-peek machine (place-value place)))
      (else (constant-bits layout (place-value place))))))

(define-documented (wasm-global instance name)
  "The value of a global that an instance exports."
  (let ((index (instance-export instance 'global name)))
    (bits->value (global-type (vector-ref (module-globals (instance-module instance)) index))
                 (instance-global-bits instance index)
                 (instance-references instance))))

;; ---- exports -----------------------------------------------------------------------------------------

(define (export-kinds instance name)
  (filter-map (lambda (export) (and (string=? name (export-name export)) (export-kind export)))
              (vector->list (module-exports (instance-module instance)))))

(define-documented (wasm-export instance name)
  "What an instance exports under a name, for wasm-instantiate's imports of another one."
  (let* ((kinds (export-kinds instance name)) (kind (if (pair? kinds) (car kinds) 'function))
         (index (instance-export instance kind name)) (m (instance-module instance))
         (layout (program-layout (instance-program instance))))
    (define (type parts) (vector-ref (parts m) index))
    (define (give type value) (make-exported kind type value (instance-machine instance)))
    (case kind
      ((function)
       (give (type module-functions)
             (label-address (layout-code layout) (vector-ref (layout-functions layout) index))))
      ((memory) (give (type module-memories) (layout-memory-place layout)))
      ((table) (give (type module-tables) (table-place layout index)))
      (else
       (give (type module-globals)
             (if (global-mutable? (type module-globals))
                 (vector-ref (layout-globals layout) index)
                 (imported-bits (instance-global-bits instance index))))))))

;; ---- traps -------------------------------------------------------------------------------------------

;; Why a run stopped, in WebAssembly's words, and where.
(define (instance-trap-text instance stop)
  (let ((machine (instance-machine instance)))
    (text (stop-text stop) " at " (machine-address->text machine (stop-pc stop)))))

;; Below address 0 a function's type is looked for where there is no function.
(define null-range (- (expt 2 64) 8))

(define (stop-text stop)
  (case (stop-trap stop)
    ((divide) "integer divide by zero")
    ((overflow) "integer overflow")
    ((invalid) "invalid conversion to integer")
    ((read write) (if (>= (stop-address stop) null-range) "uninitialized element" "out of bounds memory access"))
    ((call-depth window) "call stack exhausted")
    ((user) (or (trap-text (stop-address stop)) (stop->text stop)))
    (else (stop->text stop))))
