;; An instance is a module in a machine of its own.
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
(declare (block))

;; references: see values; threads: those of the calls that are under way, the innermost first, for a function that the
;; module imports may call it again
(define-type instance
  constructor: construct-instance
  module program (machine unprintable:) (references unprintable:) threads)

(define wasm-instance? instance?)

(define-documented (wasm-machine instance)
  "The machine that an instance lives in."
  (instance-machine instance))

;; ---- imports -----------------------------------------------------------------------------------------

;; Bits that are to be taken as they are, of a global or a result.
(define-type raw constructor: imported-bits bits)

(define (import->text import)
  (text (import-kind import) " " (import-name import) " of module " (import-module import)))

(define (import-value imports import)
  (let ((found (find (lambda (entry)
                       (and (string=? (car entry) (import-module import)) (string=? (cadr entry) (import-name import))))
                     imports)))
    (and found (given-value import (caddr found)))))

(define (unknown import) (unlinkable "unknown import: " (import->text import)))

(define (find-import imports import) (or (import-value imports import) (unknown import)))

;; What serves an imported function, as wasm-compile takes it: the host call of a procedure, one that was named, or what
;; the system has.
(define (function-for imports import index)
  (let ((value (import-value imports import)))
    (cond ((procedure? value) (host-call-name index))
          ((string? value) value)
          (value (incompatible import))
          (else (or (system-function (import-module import) (import-name import)) (unknown import))))))

(define (incompatible import)
  (unlinkable "incompatible import type: " (import->text import)))

;; What another instance exports: its kind, its type as in module.scm, and the value that is given otherwise.
(define-type exported constructor: make-exported kind type value)

(define (given-value import found)
  (if (exported? found)
      (begin
        (if (not (and (eq? (import-kind import) (exported-kind found))
                      (same-type? (import-kind import) (exported-type found) (import-type import))))
            (incompatible import))
        (exported-value found))
      found))

(define (same-type? kind have need)
  (case kind
    ((function) (and (equal? (signature-params have) (signature-params need))
                     (equal? (signature-results have) (signature-results need))))
    ((global) (and (eqv? (global-type have) (global-type need))
                   (eq? (global-mutable? have) (global-mutable? need))))
    ((table) (eqv? (table-type-element have) (table-type-element need)))
    (else #t)))

;; The limits of a memory or table, (least most), replace those that the import asks for.
(define (take-limits! import given need)
  (if (not (and (pair? given)
                (>= (car given) (limits-least need))
                (or (not (limits-most need)) (and (cadr given) (<= (cadr given) (limits-most need))))))
      (incompatible import))
  (limits-least-set! need (car given))
  (limits-most-set! need (cadr given)))

(define (host-call-name index) (text "wasm." index))

(define (as-bits type value references)
  (if (raw? value) (raw-bits value) (value->bits type value references)))

;; Lets programs call a procedure as the function of a signature. Further results go into registers behind the first.
(define (serve! instance name signature procedure)
  (let ((machine (instance-machine instance))
        (params (vector->list (signature-params signature)))
        (results (vector->list (signature-results signature)))
        (references (instance-references instance)))
    (machine-host-call! machine name (length params)
      (lambda (machine . bits)
        (let* ((value (apply procedure (map (lambda (type bits) (bits->value type bits references)) params bits)))
               (values (if (= 1 (length results)) (list value) (if (null? results) '() value)))
               (thread (car (instance-threads instance))))
          (if (not (and (list? values) (= (length values) (length results))))
              (error (text "WebAssembly: the imported function " name " has to give a list of " (length results)
                           " values")))
          (let ((bits (map (lambda (type value) (as-bits type value references)) results values)))
            (for-each (lambda (register bits) (machine-register-set! machine register bits 0 thread))
                      (iota (max 0 (- (length bits) 1)) 2)
                      (if (pair? bits) (cdr bits) '()))
            (if (pair? bits) (car bits) 0)))))))

;; ---- making one --------------------------------------------------------------------------------------

(define-documented (wasm-instantiate what #!optional (imports '()) (machine (make-machine)))
  "Compiles a module, loads it into a machine and runs its start function. WHAT is a path or bytes; IMPORTS a list of
(module name value): for a function a procedure, which gives its result (of several a list), or the name of a standard
host call as a string; for a global its value; for a memory or a table its limits, (least most), of which this
instance gets its own. Functions that are not in the list are those of WASI preview 1, and of the module `comet` the
standard host calls."
  (let* ((m (read-module (if (string? what) (read-file-bytes what) what)))
         (references (make-reference-table))
         (functions (module-imported m 'function))
         (given (lambda (import) (find-import imports import)))
         (served (map (lambda (import index) (function-for imports import index))
                      functions (iota (length functions))))
         (globals (map (lambda (import)
                         (let ((value (given import)))
                           (if (or (procedure? value) (string? value) (pair? value)) (incompatible import))
                           (as-bits (global-type (import-type import)) value references)))
                       (module-imported m 'global))))
    (for-each (lambda (import) (take-limits! import (given import) (import-type import))) (module-imported m 'memory))
    (for-each (lambda (import) (take-limits! import (given import) (table-type-limits (import-type import))))
              (module-imported m 'table))
    (let ((instance (construct-instance m (wasm-compile m served globals) machine references '())))
      (for-each (lambda (import index)
                  (let ((value (import-value imports import)))
                    (if (procedure? value) (serve! instance (host-call-name index) (import-type import) value))))
                functions (iota (length functions)))
      (machine-load! machine (program-image (instance-program instance)))
      (run-from! instance (program-start (instance-program instance)) '() (lambda (thread) #t))
      instance)))

(define-documented (wasm-check bytes)
  "Reads, validates and compiles a module whatever it imports; what is wrong with it is an error."
  (let* ((m (read-module bytes)) (functions (module-imported m 'function)))
    (wasm-compile m
                  (map (lambda (import) "none") functions)
                  (map (lambda (import) 0) (module-imported m 'global)))
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
         (outer (instance-threads instance))
         (globals (thread-registers machine (current-thread-of instance)))
         (thread (if (null? outer) 0 (machine-make-thread! machine address))))
    (dynamic-wind
     (lambda () (instance-threads-set! instance (cons thread outer)))
     (lambda ()
       (if (null? outer) (machine-restart! machine address))
       (set-thread-registers! machine thread globals)
       (for-each (lambda (n bits) (machine-register-set! machine n bits 0 thread))
                 (iota (length arguments) 1) arguments)
       (let ((stop (machine-run! machine #f thread)))
         (if (not (eq? 'halted (stop-reason stop))) (trapped (instance-trap-text instance stop)))
         (receive-results thread)))
     (lambda ()
       (instance-threads-set! instance outer)
       (if (pair? outer)
           (begin (set-thread-registers! machine (car outer) (thread-registers machine thread))
                  (machine-free-thread! machine thread)))))))

(define (current-thread-of instance)
  (let ((threads (instance-threads instance))) (if (null? threads) 0 (car threads))))

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
