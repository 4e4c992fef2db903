;; Runs the assertions of a file that `wast2json` made of a WebAssembly script.
;;
;;   (wast-run "i32.json" (lambda (line text) (pp (list line text))))   => (passed . failed)
;;
;; Modules in text are not looked at: what is wrong with them is the business of who reads text.
(module scheme-lib/loaders/wasm/wast)
(use scheme-lib/util)
(use scheme-lib/json)
(use scheme-lib/machine)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/layout)
(use scheme-lib/loaders/wasm/values)
(use scheme-lib/loaders/wasm/instance)
(declare (block))

;; folder: where the modules are; instances: by name, #f for the last; registered: by the name that imports use; machine:
;; of all modules where some are linked, or #f
(define-type script folder instances registered machine)

(define (field object name) (let ((found (assoc name object))) (and found (cdr found))))

;; ---- what modules can import -------------------------------------------------------------------------

(define (ignore . arguments) '())

(define (print . params) (make-exported 'function (make-signature (list->vector params) '#() #f) ignore #f))
(define (constant type value) (make-exported 'global (make-global type #f #f) value #f))

;; The module of the reference interpreter that scripts expect.
(define spectest
  (list
   (list "print" (print))
   (list "print_i32" (print type:i32))
   (list "print_i64" (print type:i64))
   (list "print_f32" (print type:f32))
   (list "print_f64" (print type:f64))
   (list "print_i32_f32" (print type:i32 type:f32))
   (list "print_f64_f64" (print type:f64 type:f64))
   (list "global_i32" (constant type:i32 666))
   (list "global_i64" (constant type:i64 666))
   (list "global_f32" (constant type:f32 666.6))
   (list "global_f64" (constant type:f64 666.6))
   (list "table" (make-exported 'table (make-table-type type:funcref #f) '(10 20) #f))
   (list "memory" (make-exported 'memory #f '(1 2) #f))))

(define (imports script)
  (append
   (map (lambda (entry) (cons "spectest" entry)) spectest)
   (append-map (lambda (entry) (instance-imports (car entry) (cdr entry)))
               (table->list (script-registered script)))))

;; What an instance exports, for others to import.
(define (instance-imports name instance)
  (map (lambda (export) (list name export (wasm-export instance export))) (wasm-exports instance)))

;; ---- values ------------------------------------------------------------------------------------------

(define types
  (list (cons "i32" type:i32) (cons "i64" type:i64) (cons "f32" type:f32) (cons "f64" type:f64)
        (cons "funcref" type:funcref) (cons "externref" type:externref)))

(define (value-bits value)
  (let ((text (field value "value")))
    (cond ((not text) #f)
          ((string=? text "null") 0)
          ((string=? (field value "type") "externref") (+ 1 (string->number text)))
          (else (string->number text)))))

;; Whether bits are what is expected: bits, any NaN of a kind, or any reference.
(define (as-expected? expected bits)
  (let ((type (cdr (assoc (field expected "type") types))) (value (field expected "value")))
    (define (nan? one all) (= one (bitwise-and bits all)))
    (define (nan-of-kind? canonical?)
      (if (eqv? type type:f32)
          (nan? #x7fc00000 (if canonical? #x7fffffff #x7fc00000))
          (nan? #x7ff8000000000000 (if canonical? #x7fffffffffffffff #x7ff8000000000000))))
    (cond ((not value) (not (= 0 bits)))
          ((string=? value "nan:canonical") (nan-of-kind? #t))
          ((string=? value "nan:arithmetic") (nan-of-kind? #f))
          (else (= bits (value-bits expected))))))

;; ---- actions -----------------------------------------------------------------------------------------

(define (instance-of script object)
  (or (table-ref (script-instances script) (field object "module") #f)
      (error "WebAssembly: no module was made")))

;; The bits that an action gives.
(define (act script action)
  (let ((instance (instance-of script action)) (name (field action "field")))
    (if (string=? "invoke" (field action "type"))
        (instance-call-bits instance (instance-export instance 'function name)
                            (map value-bits (vector->list (field action "args"))))
        (list (instance-global-bits instance (instance-export instance 'global name))))))

(define (make-instance script command)
  (wasm-instantiate (path-expand (field command "filename") (script-folder script)) (imports script) (script-machine script)))

;; ---- commands ----------------------------------------------------------------------------------------

;; What is wrong, or #f; `nothing` where there is nothing to assert.
(define (expect-error kinds command thunk)
  (with-exception-catcher
   (lambda (e)
     (cond ((not (wasm-error? e)) (exception->text e))
           ((not (memq (wasm-error-kind e) kinds))
            (text "expected " (field command "text") ", found " (wasm-error-why e)))
           ((eq? 'trap (wasm-error-kind e)) (same-trap? (field command "text") (wasm-error-why e)))
           (else #f)))
   (lambda ()
     (thunk)
     (text "expected " (field command "text") ", and nothing happened"))))

(define (same-trap? expected found)
  (if (or (string-prefix? expected found) (string-prefix? (car (string-split found #\space)) expected))
      #f
      (text "expected " expected ", found " found)))

(define (run-command script command)
  (let ((type (string->symbol (field command "type"))))
    (case type
      ((module)
       (let ((instance (make-instance script command)) (name (field command "name")))
         (table-set! (script-instances script) #f instance)
         (if name (table-set! (script-instances script) name instance))
         'nothing))
      ((register)
       (table-set! (script-registered script) (field command "as")
                   (table-ref (script-instances script) (field command "name") #f))
       'nothing)
      ((action) (act script (field command "action")) #f)
      ((assert_return)
       (let ((bits (act script (field command "action"))) (expected (vector->list (field command "expected"))))
         (if (and (= (length bits) (length expected)) (every as-expected? expected bits))
             #f
             (text "expected " (written expected) ", found " (written bits)))))
      ((assert_trap assert_exhaustion)
       (expect-error '(trap) command (lambda () (act script (field command "action")))))
      ((assert_malformed assert_invalid assert_unlinkable assert_uninstantiable)
       (if (string=? "text" (field command "module_type"))
           'nothing
           (expect-error (case type
                           ((assert_unlinkable) '(unlinkable trap))
                           ((assert_uninstantiable) '(trap))
                           (else '(malformed invalid)))
                         command (lambda () (make-instance script command)))))
      (else (text "a command of unknown type " type)))))

(define-documented (wast-run path report)
  "Runs the commands of a file; (REPORT line text) hears of those that fail. Gives (passed . failed)."
  (let* ((commands (vector->list (field (text->json (read-file-text path)) "commands")))
         (linked? (any (lambda (command) (string=? "register" (field command "type"))) commands))
         (script (make-script (path-directory (path-expand path)) (make-table) (make-table)
                              (and linked? (make-machine memory-limit: (expt 2 36))))))
    (let loop ((commands commands) (passed 0) (failed 0))
      (if (null? commands)
          (cons passed failed)
          (let ((wrong (with-exception-catcher exception->text (lambda () (run-command script (car commands))))))
            (cond ((not wrong) (loop (cdr commands) (+ passed 1) failed))
                  ((eq? wrong 'nothing) (loop (cdr commands) passed failed))
                  (else (report (field (car commands) "line") wrong)
                        (loop (cdr commands) passed (+ failed 1)))))))))
