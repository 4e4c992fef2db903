;; Requests that say where the program is to stop. Each replaces what the one of its kind before it set; what was
;; set at the console stays as it is.

(module debugger/dap/breakpoints)
(use scheme-lib/util)
(use scheme-lib/json)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/lines)
(use debugger/breakpoints)
(use debugger/value)
(use debugger/views)
(use debugger/show)
(use debugger/dap/adapter)
(use debugger/dap/looking)
(use debugger/dap/listing)

;; ---- groups --------------------------------------------------------------------------------------------

(define (assoc-value key pairs) (let ((pair (assoc key pairs))) (if pair (cdr pair) '())))
(define (ids-of whose) (assoc-value whose (adapter-groups (the-adapter))))

(define (group-set! whose ids)
  (adapter-groups-set! (the-adapter)
                       (cons (cons whose ids)
                             (remove (lambda (group) (equal? (car group) whose)) (adapter-groups (the-adapter))))))

;; Some may have gone already: deleted at the console, or temporary.
(define (clear-group! whose)
  (for-each (lambda (breakpoint) (if (memv (breakpoint-id breakpoint) (ids-of whose)) (breakpoint-remove! breakpoint)))
            (session-breakpoints (the-session)))
  (group-set! whose '()))

;; Does `set` for each of the wanted ones; it gives a breakpoint's JSON object. One that fails says why.
(define (replace-group! whose wanted set)
  (clear-group! whose)
  (json-object
   "breakpoints"
   (list->vector
    (map (lambda (each)
           (with-exception-catcher
            (lambda (exception) (json-object "verified" #f "message" (error-line exception)))
            (lambda ()
              (let ((answer (set each)))
                (group-set! whose (cons (json-ref answer "id") (ids-of whose)))
                answer))))
         (vector->list wanted)))))

;; ---- what a client may ask of any breakpoint ---------------------------------------------------------------

;; An expression as `break … if` takes it, #f for none.
(define (condition-of wanted)
  (let ((condition (string-trim (argument wanted "condition" 'string ""))))
    (and (not (string=? condition "")) condition)))

;; How many hits do not stop: the third does where "3" is wanted.
(define (ignored-hits wanted)
  (let* ((word (string-trim (argument wanted "hitCondition" 'string "")))
         (count (if (string=? word "") 1 (string->number word))))
    (if (not (and (integer? count) (exact? count) (> count 0)))
        (raise-user-error "a hit count is a number from 1 on, not `" word "`"))
    (- count 1)))

(define (with-hits breakpoint wanted)
  (breakpoint-ignore-set! breakpoint (ignored-hits wanted))
  breakpoint)

;; ---- breakpoints -----------------------------------------------------------------------------------------

;; resolve: gives the address, in a program that was loaded again too. line: where the client is to show it, #f: in
;; the source that the instruction came from.
(define (set-at! resolve where wanted #!optional (line #f))
  (ignored-hits wanted)
  (if (not (target-instruction (resolve)))
      (raise-user-error "nothing is mapped at " (hex-address (resolve)) ", so no instruction can be there"))
  (let* ((message (argument wanted "logMessage" 'string ""))
         (breakpoint (with-hits (add-breakpoint! 'break where resolve condition: (condition-of wanted)
                                                 message: (and (not (string=? message "")) message))
                                wanted))
         (address (breakpoint-address breakpoint))
         (place (line-at address)))
    (json-object "id" (breakpoint-id breakpoint) "verified" #t
                 "instructionReference" (hex-address address)
                 "line" (cond (line) (place (client-line (place-line place))) (else (void)))
                 "message" (where-text address))))

;; In a file the next line that has an instruction will do; each line of a listing has one.
(define (line-address source line)
  (let ((listing (argument source "sourceReference" 'integer 0)))
    (if (> listing 0)
        (listing-address listing line)
        (let ((found (line-instruction (argument source "path" 'string) line)))
          (if (not found) (raise-user-error "no instruction comes from line " line " or below it"))
          (car found)))))

(define-request (setBreakpoints arguments) when: loaded
  (let* ((source (argument arguments "source" 'object))
         (name (json-ref source "path" (text "listing " (json-ref source "sourceReference")))))
    (replace-group! name
                    (argument arguments "breakpoints" 'array (vector))
                    (lambda (wanted)
                      (let* ((line (argument wanted "line" 'integer))
                             (resolve (lambda () (line-address source (server-line line)))))
                        (set-at! resolve (address-text (resolve)) wanted
                                 (and (json-ref source "sourceReference") line)))))))

(define-request (setFunctionBreakpoints arguments) when: loaded
  (replace-group! 'function (argument arguments "breakpoints" 'array)
                  (lambda (wanted)
                    (let ((name (argument wanted "name" 'string)))
                      (set-at! (lambda () (word->integer name)) name wanted)))))

(define-request (setInstructionBreakpoints arguments) when: loaded
  (replace-group! 'instruction (argument arguments "breakpoints" 'array)
                  (lambda (wanted)
                    (let ((address (+ (word->integer (argument wanted "instructionReference" 'string))
                                      (argument wanted "offset" 'integer 0))))
                      (set-at! (lambda () address) (address-text address) wanted)))))

(define-request (setExceptionBreakpoints arguments) when: loaded
  (adapter-filters-set! (the-adapter) (vector->list (argument arguments "filters" 'array)))
  '())

;; ---- watchpoints -----------------------------------------------------------------------------------------

(define accesses '(("read" . read) ("write" . write) ("readWrite" . both)))

;; What is watched has a name for the client: "KIND/FIRST/LENGTH", FIRST being an address, or a register's number on
;; the register stack.
(define (watched-name kind first length) (text kind "/" first "/" length))

(define (watched-of name)
  (let* ((parts (string-split name #\/))
         (kind (find (lambda (kind) (string=? (symbol->string kind) (car parts))) '(watch register thread-register)))
         (numbers (map string->number (cdr parts))))
    (if (not (and kind (= (length numbers) 2) (every integer? numbers)))
        (raise-user-error "`" name "` names nothing that can be watched"))
    (cons kind numbers)))

;; Of the selected activation's r registers, the one on the register stack.
(define (register-of name)
  (let ((number (string->number (substring name 1 (string-length name)))))
    (if (char=? (string-ref name 0) #\t)
        (watched-name 'thread-register number 0)
        (watched-name 'register (+ number (vector-ref (target-activation (session-level (the-session))) 2)) 0))))

(define-request (dataBreakpointInfo arguments) when: stopped
  (let ((name (argument arguments "name" 'string)) (length (argument arguments "bytes" 'integer #f)))
    (select-scope! arguments)
    (cond ((string=? name "pc")
           (json-object "dataId" 'null "description" "the pc changes with each instruction"))
          ((register-word? name)
           (json-object "dataId" (register-of name) "description" name "accessTypes" (vector "write")))
          (else
           (let ((viewed (word->location-of-view name word->integer)))
             (if (string? viewed)
                 (json-object "dataId" (register-of viewed) "description" (text name " in " viewed)
                              "accessTypes" (vector "write"))
                 (let ((address (if viewed (car viewed) (word->integer name)))
                       (length (or length (if viewed (cdr viewed) 8))))
                   (json-object "dataId" (watched-name 'watch address length)
                                "description" (text length " bytes at " (if viewed name (address-text address)))
                                "accessTypes" (list->vector (map car accesses))))))))))

(define-request (setDataBreakpoints arguments) when: loaded
  (replace-group! 'data (argument arguments "breakpoints" 'array)
                  (lambda (wanted)
                    (let* ((watched (watched-of (argument wanted "dataId" 'string)))
                           (access (assoc-value (argument wanted "accessType" 'string "write") accesses))
                           (first (cadr watched)))
                      (ignored-hits wanted)
                      (json-object "id" (breakpoint-id
                                         (with-hits (add-breakpoint! (car watched) (watched-text watched)
                                                                     (lambda () first) length: (caddr watched)
                                                                     access: access condition: (condition-of wanted))
                                                    wanted))
                                   "verified" #t)))))

(define (watched-text watched)
  (case (car watched)
    ((watch) (address-text (cadr watched)))
    ((register) (text "register " (cadr watched) " of the register stack"))
    (else (text "t" (cadr watched)))))
