;; Requests around the life of a program: initialize, launch, configurationDone, restart, terminate, disconnect.
;;
;; The order is the protocol's: initialize, launch (the program is loaded, and the event `initialized` asks for
;; breakpoints), breakpoints, configurationDone (the program runs).

(module debugger/dap/launch)
(use scheme-lib/util)
(use scheme-lib/json)
(use scheme-lib/machine)
(use asm/settings)
(use debugger/command)
(use debugger/session)
(use debugger/program)
(use debugger/target)
(use debugger/breakpoints)
(use debugger/run)
(use debugger/dap/adapter)
(use debugger/dap/running)

(define filters
  (vector (json-object "filter" "trap" "label" "Traps" "default" #t
                       "description" "Stop where an instruction cannot be executed, with the past at hand")))

(define abilities
  '("supportsConfigurationDoneRequest" "supportsConditionalBreakpoints" "supportsHitConditionalBreakpoints"
    "supportsLogPoints" "supportsFunctionBreakpoints" "supportsEvaluateForHovers" "supportsStepBack"
    "supportsSetVariable" "supportsSetExpression" "supportsGotoTargetsRequest" "supportsCompletionsRequest"
    "supportsRestartRequest" "supportsExceptionInfoRequest" "supportsValueFormattingOptions"
    "supportsDelayedStackTraceLoading" "supportsTerminateRequest" "supportsDataBreakpoints"
    "supportsDataBreakpointBytes" "supportsReadMemoryRequest" "supportsWriteMemoryRequest"
    "supportsDisassembleRequest" "supportsSteppingGranularity" "supportsInstructionBreakpoints"))

(define-request (initialize arguments) when: any
  (adapter-client-set! (the-adapter) arguments)
  (append (map (lambda (ability) (cons ability #t)) abilities)
          (json-object "exceptionBreakpointFilters" filters)))

;; ---- launch ------------------------------------------------------------------------------------------

(define (strings name)
  (map (lambda (value) (if (string? value) value (raise-user-error "`" name "` is to be an array of strings")))
       (vector->list (launch-option name 'array (vector)))))

(define (definition word)
  (or (definition-of-word word) (raise-user-error "`define` holds NAME or NAME=VALUE, not `" word "`")))

(define (make-launched-machine)
  (let ((machine (make-machine memory-limit: (launch-option "memory" 'integer #f)
                               register-limit: (launch-option "registers" 'integer #f)
                               call-depth-limit: (launch-option "callDepth" 'integer #f)
                               random-seed: (launch-option "seed" 'integer #f))))
    (for-each (lambda (group) (machine-grant! machine group)) (strings "allow"))
    (for-each (lambda (group) (machine-revoke! machine group)) (strings "deny"))
    machine))

;; What the program writes goes to the client as it comes; it reads a file, or finds its input at its end.
(define (connect-streams!)
  (let ((input (launch-option "stdin" 'string #f)))
    (define (output category) (lambda (text) (send-event! "output" "category" category "output" text)))
    (session-streams-set! (the-session)
                          (list (if input (open-input-file input) (open-input-u8vector (u8vector)))
                                (output "stdout")
                                (output "stderr")))))

(define (load!)
  (asm-include-path (strings "include"))
  (asm-definitions (map definition (strings "define")))
  (connect-streams!)
  (load-program! (launch-option "program" 'string (void)) make-launched-machine))

(define-request (launch arguments) when: any
  (if (not (eq? (adapter-state (the-adapter)) 'new)) (raise-user-error "a program was launched already"))
  (adapter-launch-set! (the-adapter) arguments)
  (argument arguments "program" 'string)
  (let ((folder (launch-option "cwd" 'string #f)))
    (if folder (current-directory folder)))
  (load!)
  (let ((arguments (strings "args")))
    (session-arguments-set! (the-session) arguments)
    (machine-arguments-set! (the-machine) (cons (loaded-path (the-program)) arguments)))
  (adapter-state-set! (the-adapter) 'loaded)
  (afterwards! (lambda () (send-event! "initialized")))
  '())

(define-request (attach arguments) when: any
  (raise-user-error "there is nothing to attach to; `launch` loads a program and runs it"))

;; ---- running it ----------------------------------------------------------------------------------------

(define (begin-run!)
  (run-and-report!
   (lambda ()
     (if (launch-option "stopOnEntry" 'boolean #f) (goto-start!) (run-program!)))))

(define-request (configurationDone arguments) when: loaded
  (begin-run!)
  '())

;; As it was loaded, once more, or, with new arguments of `launch`, from the file; breakpoints stay.
(define-request (restart arguments) when: loaded
  (let ((launch (json-ref arguments "arguments")))
    (if launch (adapter-launch-set! (the-adapter) (argument arguments "arguments" 'object)))
    (load!)
    (begin-run!)
    '()))

;; ---- the end -------------------------------------------------------------------------------------------

(define-request (terminate arguments) when: loaded
  (adapter-state-set! (the-adapter) 'stopped)
  (afterwards! (lambda () (send-event! "terminated")))
  '())

(define-request (disconnect arguments) when: any
  (adapter-state-set! (the-adapter) 'over)
  '())
