;; Requests that show and change memory: disassemble, readMemory, writeMemory.
;;
;; A place in memory is whatever `print` takes for one; what goes to the client is a hexadecimal address.

(module debugger/dap/memory)
(use scheme-lib/util)
(use scheme-lib/json)
(use scheme-lib/base64)
(use debugger/command)
(use debugger/target)
(use debugger/program)
(use debugger/disassembly)
(use debugger/value)
(use debugger/show)
(use debugger/dap/adapter)
(use debugger/dap/looking)

(define most-bytes 1048576)
(define most-instructions 10000)

(define (place-of arguments)
  (+ (word->integer (argument arguments "memoryReference" 'string)) (argument arguments "offset" 'integer 0)))

(define (checked name number least most)
  (if (not (<= least number most)) (raise-user-error "`" name "` is to be from " least " to " most))
  number)

(define (checked-count arguments name most) (checked name (argument arguments name 'integer) 0 most))

;; ---- bytes -----------------------------------------------------------------------------------------------

(define-request (readMemory arguments) when: loaded
  (let* ((address (u64 (place-of arguments)))
         (count (checked-count arguments "count" most-bytes))
         (bytes (target-read-prefix address count)))
    (json-object "address" (hex-address address) "data" (u8vector->base64 bytes)
                 "unreadableBytes" (- count (u8vector-length bytes)))))

(define-request (writeMemory arguments) when: stopped
  (let* ((address (u64 (place-of arguments)))
         (bytes (base64->u8vector (argument arguments "data" 'string)))
         (there (u8vector-length (target-read-prefix address (u8vector-length bytes))))
         (partial? (argument arguments "allowPartial" 'boolean #f)))
    (target-write! address (if partial? (subu8vector bytes 0 there) bytes))
    (json-object "bytesWritten" (if partial? there (u8vector-length bytes)))))

;; ---- instructions ------------------------------------------------------------------------------------------

(define (instruction-object instruction)
  (let* ((address (instruction-address instruction))
         (length (instruction-length instruction))
         (place (line-at address))
         (symbol (symbol-at address)))
    (append
     (json-object "address" (hex-address address)
                  "instruction" (instruction-text instruction)
                  "instructionBytes" (bytes-text (target-read-prefix address length))
                  "symbol" (if (and symbol (= address (cdr symbol))) (car symbol) (void)))
     (if place
         (json-object "location" (source-object (place-file place)) "line" (client-line (place-line place)))
         '()))))

(define (bytes-text bytes)
  (string-join (map (lambda (byte) (hex byte 2)) (u8vector->list bytes)) " "))

(define (nothing-at address)
  (json-object "address" (hex-address (u64 address)) "instruction" "?" "presentationHint" "invalid"))

;; `count` objects from an address on.
(define (forward address count)
  (if (<= count 0)
      '()
      (let ((instruction (target-instruction address)))
        (if instruction
            (cons (instruction-object instruction)
                  (forward (u64 (+ address (max 1 (instruction-length instruction)))) (- count 1)))
            (cons (nothing-at address) (forward (+ address 1) (- count 1)))))))

;; The client wants exactly `count` of them, also where the pages end or nobody knows what lies before.
(define-request (disassemble arguments) when: loaded
  (let* ((address (u64 (place-of arguments)))
         (first (checked "instructionOffset" (argument arguments "instructionOffset" 'integer 0)
                         (- most-instructions) most-instructions))
         (count (checked-count arguments "instructionCount" most-instructions)))
    (json-object
     "instructions"
     (list->vector
      (if (>= first 0)
          (drop-at-most (forward address (+ first count)) first)
          (let* ((starts (instructions-up-to address (- first)))
                 (missing (- (- first) (length starts)))
                 (lowest (if (pair? starts) (car starts) address))
                 (before (append (map (lambda (i) (nothing-at (- lowest (- missing i)))) (iota missing))
                                 (map (lambda (at) (instruction-object (target-instruction at))) starts))))
            (take-at-most (append before (forward address (- count (- first)))) count)))))))
