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
(use debugger/show)
(use debugger/dap/adapter)

;; ---- groups --------------------------------------------------------------------------------------------

(define (others whose)
  (remove (lambda (group) (equal? (car group) whose)) (adapter-groups (the-adapter))))

(define (ids-of whose) (assoc-value whose (adapter-groups (the-adapter))))
(define (assoc-value key pairs) (let ((pair (assoc key pairs))) (if pair (cdr pair) '())))

(define (set-by-others? whose id) (any (lambda (group) (memv id (cdr group))) (others whose)))

;; Not those that another group holds, or that are gone already.
(define (clear-group! whose)
  (for-each (lambda (id)
              (if (and (not (set-by-others? whose id)) (memv id (stopping-place-ids)))
                  (stopping-place-remove! id)))
            (ids-of whose))
  (adapter-groups-set! (the-adapter) (others whose)))

(define (stopping-place-ids)
  (append (map breakpoint-id (session-breakpoints (the-session)))
          (map watchpoint-id (session-watchpoints (the-session)))))

(define (add-to-group! whose id)
  (adapter-groups-set! (the-adapter) (cons (cons whose (cons id (ids-of whose))) (others whose))))

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
                (add-to-group! whose (json-ref answer "id"))
                answer))))
         (vector->list wanted)))))

;; ---- breakpoints -----------------------------------------------------------------------------------------

(define (set-at! address where)
  (if (not (target-instruction address))
      (raise-user-error "nothing is mapped at " (hex-address address) ", so no instruction can be there"))
  (let* ((breakpoint (breakpoint-add! address where)) (place (line-at address)))
    (json-object "id" (breakpoint-id breakpoint) "verified" #t
                 "instructionReference" (hex-address address)
                 "line" (if place (client-line (place-line place)) (void))
                 "message" (where-text address))))

(define-request (setBreakpoints arguments) when: loaded
  (let* ((source (argument arguments "source" 'object)) (path (argument source "path" 'string)))
    (replace-group! path (argument arguments "breakpoints" 'array (vector))
                    (lambda (wanted)
                      (let* ((line (server-line (argument wanted "line" 'integer)))
                             (found (line-instruction path line)))
                        (if (not found) (raise-user-error "no instruction comes from line " line " or below it"))
                        (set-at! (car found) (address-text (car found))))))))

(define-request (setFunctionBreakpoints arguments) when: loaded
  (replace-group! 'function (argument arguments "breakpoints" 'array)
                  (lambda (wanted)
                    (let ((name (argument wanted "name" 'string))) (set-at! (word->integer name) name)))))

(define-request (setInstructionBreakpoints arguments) when: loaded
  (replace-group! 'instruction (argument arguments "breakpoints" 'array)
                  (lambda (wanted)
                    (let ((address (+ (word->integer (argument wanted "instructionReference" 'string))
                                      (argument wanted "offset" 'integer 0))))
                      (set-at! address (address-text address))))))

(define-request (setExceptionBreakpoints arguments) when: loaded
  (adapter-filters-set! (the-adapter) (vector->list (argument arguments "filters" 'array)))
  '())

;; ---- watchpoints -----------------------------------------------------------------------------------------

(define accesses '(("read" . read) ("write" . write) ("readWrite" . both)))

;; What is watched is a range, named by its address and length: "0x00010020/8".
(define (range-name address length) (text (hex-address address) "/" length))

(define (range-of name)
  (let* ((slash (or (string-index name #\/) (raise-user-error "`" name "` names no range of memory")))
         (length (string->number (substring name (+ slash 1) (string-length name)))))
    (cons (word->integer (substring name 0 slash)) length)))

(define-request (dataBreakpointInfo arguments) when: loaded
  (let* ((name (argument arguments "name" 'string))
         (length (argument arguments "bytes" 'integer 8))
         (address (if (register-word? name) #f (word->integer name))))
    (json-object "dataId" (if address (range-name address length) 'null)
                 "description" (if address
                                   (text length " bytes at " (address-text address))
                                   "memory is watched, not registers")
                 "accessTypes" (list->vector (map car accesses)))))

(define-request (setDataBreakpoints arguments) when: loaded
  (replace-group! 'data (argument arguments "breakpoints" 'array)
                  (lambda (wanted)
                    (let* ((range (range-of (argument wanted "dataId" 'string)))
                           (access (assoc-value (argument wanted "accessType" 'string "write") accesses))
                           (watchpoint (watchpoint-add! (car range) (cdr range) access (hex-address (car range)))))
                      (json-object "id" (watchpoint-id watchpoint) "verified" #t)))))
