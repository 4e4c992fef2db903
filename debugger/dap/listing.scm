;; Code without a source file, shown as one: the instructions of a function, a line for each. The client knows such
;; a source by a number, and asks for its text by the request `source`.

(module debugger/dap/listing)
(use scheme-lib/util)
(use scheme-lib/json)
(use debugger/command)
(use debugger/target)
(use debugger/program)
(use debugger/disassembly)
(use debugger/code)
(use debugger/show)
(use debugger/dap/adapter)

(define most-lines 2000)

;; Where the listing begins that an address belongs to: at its symbol, or a little before it.
(define (listing-start address)
  (let ((symbol (symbol-at address)))
    (if (and symbol (assv address (instructions-from (cdr symbol))))
        (cdr symbol)
        (instructions-before address 50))))

(define (next-symbol start)
  (let ((behind (filter (lambda (value) (> value start)) (map cdr (all-symbols)))))
    (and (pair? behind) (apply min behind))))

;; Behind what belongs to a symbol: at the next one, or where nothing but zeros follow.
(define (end-of start)
  (let* ((region (find (lambda (region) (<= (car region) start (+ (car region) (cadr region) -1))) (target-regions)))
         (end (if region (code-end (car region) (cadr region)) start)))
    (min end (or (next-symbol start) end))))

;; (address . line of the disassembly) of each of its instructions.
(define (instructions-from start)
  (let ((end (end-of start)))
    (let loop ((address start) (left most-lines))
      (let ((instruction (and (> left 0) (< address end) (target-instruction address))))
        (if instruction
            (cons (cons address (instruction-line instruction))
                  (loop (u64 (+ address (max 1 (instruction-length instruction)))) (- left 1)))
            '())))))

;; Numbers of listings are places in the adapter's list of their starts, counted from 1.
(define (number-of start)
  (let* ((starts (adapter-listings (the-adapter))) (known (list-index (lambda (each) (= each start)) starts)))
    (if known
        (+ known 1)
        (begin
          (adapter-listings-set! (the-adapter) (append starts (list start)))
          (+ 1 (length starts))))))

(define (start-of number)
  (let ((starts (adapter-listings (the-adapter))))
    (if (not (<= 1 number (length starts))) (raise-user-error "there is no listing " number))
    (list-ref starts (- number 1))))

;; ---- for frames and breakpoints ----------------------------------------------------------------------------

(define (listing-source address)
  (let ((start (listing-start address)))
    (json-object "name" (text (address-text start) " (disassembly)") "sourceReference" (number-of start))))

;; The line of an address in its listing, counted from 1.
(define (listing-line address)
  (+ 1 (or (list-index (lambda (row) (= (car row) address)) (instructions-from (listing-start address))) 0)))

;; The address of a line of a listing.
(define (listing-address number line)
  (let ((rows (instructions-from (start-of number))))
    (if (not (<= 1 line (length rows))) (raise-user-error "the listing has no line " line))
    (car (list-ref rows (- line 1)))))

(define-request (source arguments) when: loaded
  (let ((start (start-of (argument arguments "sourceReference" 'integer))))
    (json-object "content" (string-join (map cdr (instructions-from start)) "\n") "mimeType" "text/plain")))
