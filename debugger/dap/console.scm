;; Requests that evaluate what a person wrote: evaluate, setExpression, completions.
;;
;; A line of the client's console is a line of the prompt, commands and Scheme alike; anything else (a hover, a
;; watched expression) is what `print` takes.

(module debugger/dap/console)
(use scheme-lib/util)
(use scheme-lib/json)
(use debugger/command)
(use debugger/session)
(use debugger/value)
(use debugger/show)
(use debugger/dap/adapter)
(use debugger/dap/running)
(use debugger/dap/looking)
(use debugger/dap/viewed)

(define (integer-value? value) (and (integer? value) (exact? value)))

(define (shown value arguments)
  (cond ((not (integer-value? value)) (written value))
        ((argument (argument arguments "format" 'object '()) "hex" 'boolean #f) (number->hex (u64 value)))
        (else (value-text (u64 value)))))

(define (evaluate-expression expression arguments)
  (if (viewed? expression)
      (let ((variable (viewed-variable expression expression)))
        (json-object "result" (json-ref variable "value") "variablesReference" (json-ref variable "variablesReference")
                     "memoryReference" (json-ref variable "memoryReference" (void))))
      (evaluate-value expression arguments)))

(define (evaluate-value expression arguments)
  (let ((value (word->value expression)))
    (json-object "result" (shown value arguments) "variablesReference" 0
                 "memoryReference" (if (and (integer-value? value) (>= value 65536) (mapped? (u64 value)))
                                       (hex-address (u64 value))
                                       (void)))))

(define-request (evaluate arguments) when: stopped
  (let ((expression (argument arguments "expression" 'string)))
    (select-frame! arguments)
    (if (string=? (argument arguments "context" 'string "repl") "repl")
        (json-object "result" (run-console! expression) "variablesReference" 0)
        (evaluate-expression (string-trim expression) arguments))))

(define-request (setExpression arguments) when: stopped
  (let ((place (argument arguments "expression" 'string)))
    (select-frame! arguments)
    (set-place! place (new-value place (argument arguments "value" 'string)))
    (if (viewed? place)
        (viewed-variable place place)
        (json-object "value" (value-text (word->integer place))))))

(define-request (completions arguments) when: any
  (let* ((text (argument arguments "text" 'string))
         (column (argument arguments "column" 'integer))
         (point (max 0 (min (string-length text) (- column (if (client-flag "columnsStartAt1" #t) 1 0)))))
         (found ((adapter-complete (the-adapter)) text point))
         (start (car found)))
    (json-object "targets"
                 (list->vector
                  (map (lambda (word) (json-object "label" (string-trim word) "start" start "length" (- point start)))
                       (cdr found))))))
