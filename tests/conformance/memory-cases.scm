;;; memory-cases.scm: loads, stores, atomics and blocks at every kind of address.

(define last-page (- address-space-size page-size))

;; Addresses for an access of a length: inside a page, across borders between pages of equal and unequal
;; rights, at the last byte of a mapped range, beyond 4 GiB, at both ends of the address space.
(define (access-addresses length)
  (define (across border) (list (- border length) (+ (- border length) 1) (- border 1)))
  (append
   '(#x20000 #x20001 #x20003 #x2f00d #x0 #x5 #x9000f #xb0040 #x40010 #x4fff0 #x50010 #x60010 #x70010
     #x10010 #x100000010 #x123456780100 #x123456790000 #x1000000000000 #x8000000000000000 #x7ffffffffffffff0)
   (apply append (map across '(#x30000 #x40000 #x50000 #x60000 #x70000 #xa0000 #xc0000
                               #x100000000 #x100010000 #x123456790000 #x7fffffffffffffff)))
   ;; ends where readable memory begins: the first byte is the refused one
   (list #x7ffff #xfffeffff #x12345677ffff (- last-page 1))
   ;; the last bytes of the address space, and accesses that would wrap around
   (list last-page (- address-space-size length) (u64 (+ 1 (- address-space-size length))) (- address-space-size 1))))

(define (distinct list)
  (let loop ((list list) (result '()))
    (cond ((null? list) (reverse result))
          ((memv (car list) result) (loop (cdr list) result))
          (else (loop (cdr list) (cons (car list) result))))))

;; "ldu16" => 2, whether signed, whether indexed
(define (access-length name)
  (let ((bits (let loop ((n 0) (text (symbol->string name)))
                (cond ((= n (string-length text)) 0)
                      ((char-numeric? (string-ref text n)) (string->number (substring text n (string-length text))))
                      (else (loop (+ n 1) text))))))
    (quotient bits 8)))
(define (access-signed? name) (or (name-begins-with? name "lds") (name-begins-with? name "ldxs")))
(define (access-indexed? name) (or (name-begins-with? name "ldx") (name-begins-with? name "stx")))

(define offsets '(0 1 -1 63 -64 64 8191 -8192 #x7fffffff #x-80000000 #x100000000 #x10000000000
                  #x7fffffffffffffff #x-8000000000000000 #x-123456789abcdef))
(define indices (append '(0 1 2 5 #x7fffffff #x1fffffffffffffff #xffffffffffffffff #xfffffffffffffff0 #x8000000000000000) '(#x2000000000000000)))

(define take-turn
  (let ((turn 0))
    (lambda (list)
      (set! turn (+ turn 1))
      (list-ref list (modulo (* turn 7) (length list))))))

(define (word-or-trap address length right after)
  (let ((refused (first-refused address length right)))
    (if refused
        (list (trap (if (char=? right #\r) 'read 'write) refused))
        (after))))

(define (write-load-cases name)
  (let ((length (access-length name)))
    (define (expected address destination)
      (word-or-trap address length #\r
                    (lambda ()
                      (let ((word (memory-word '() address length)))
                        (list (register destination
                                        (u64 (if (access-signed? name) (signed (* 8 length) word) word))))))))
    (define (one address destination)
      (if (access-indexed? name)
          (let* ((index (take-turn indices)) (base (u64 (- address (* length index)))))
            (write-scenario name (list destination 2 3)
                            (list (register 2 base) (register 3 index)) (expected address destination)))
          (let* ((offset (take-turn offsets)) (base (u64 (- address offset))))
            (write-scenario name (list destination 2 offset)
                            (list (register 2 base)) (expected address destination)))))
    (for-each (lambda (address) (one address 1)) (distinct (access-addresses length)))
    ;; r0 as destination: the access still happens. The base as destination. Registers far away.
    (for-each (lambda (address) (one address 0)) '(#x20010 #x60010 #x70010))
    (if (access-indexed? name)
        (begin
          (write-scenario name '(2 2 3) (list (register 2 #x20010) (register 3 1)) (expected (+ #x20010 length) 2))
          (write-scenario name '(3 2 3) (list (register 2 #x20010) (register 3 1)) (expected (+ #x20010 length) 3))
          (write-scenario name '(1 0 3) (list (register 3 8)) (expected (* 8 length) 1))
          (write-scenario name '(1 2 0) (list (register 2 #x20018)) (expected #x20018 1))
          (write-scenario name '(#x11170 #x11171 #x11172) (list (register #x11171 #x20018) (register #x11172 3))
                          (expected (+ #x20018 (* 3 length)) #x11170)))
        (begin
          (write-scenario name '(2 2 5) (list (register 2 #x20010)) (expected #x20015 2))
          (write-scenario name '(1 0 #x20020) '() (expected #x20020 1))
          (write-scenario name '(#x11170 #x11171 -3) (list (register #x11171 #x20018)) (expected #x20015 #x11170))))
    (do ((n 0 (+ n 1)))
        ((= n 20))
      (one (+ #x20000 (random-below #x20010)) 1))))

(define (write-store-cases name)
  (let ((length (access-length name)))
    (define (expected address value)
      (word-or-trap address length #\w (lambda () (memory (word->bytes address length value)))))
    (define (one address value)
      (if (access-indexed? name)
          (let* ((index (take-turn indices)) (base (u64 (- address (* length index)))))
            (write-scenario name '(1 2 3)
                            (list (register 1 base) (register 2 index) (register 3 value)) (expected address value)))
          (let* ((offset (take-turn offsets)) (base (u64 (- address offset))))
            (write-scenario name (list 1 2 offset)
                            (list (register 1 base) (register 2 value)) (expected address value)))))
    (for-each (lambda (address) (one address (take-turn word-edges))) (distinct (access-addresses length)))
    (if (access-indexed? name)
        (begin
          (write-scenario name '(1 2 0) (list (register 1 #x20010) (register 2 1)) (expected (+ #x20010 length) 0))
          (write-scenario name '(1 1 1) (list (register 1 #x8000)) (expected (* #x8000 (+ length 1)) #x8000))
          (write-scenario name '(#x11170 #x11171 #x11172)
                          (list (register #x11170 #x20018) (register #x11171 3) (register #x11172 #xfedcba9876543210))
                          (expected (+ #x20018 (* 3 length)) #xfedcba9876543210)))
        (begin
          (write-scenario name '(1 0 5) (list (register 1 #x20010)) (expected #x20015 0))
          (write-scenario name '(0 2 #x20020) (list (register 2 #xfedcba9876543210)) (expected #x20020 #xfedcba9876543210))
          (write-scenario name '(1 1 8) (list (register 1 #x20010)) (expected #x20018 #x20010))
          (write-scenario name '(#x11170 #x11171 -3)
                          (list (register #x11170 #x20018) (register #x11171 #xfedcba9876543210))
                          (expected #x20015 #xfedcba9876543210))))
    (do ((n 0 (+ n 1)))
        ((= n 20))
      (one (+ #x20000 (random-below #x20010)) (random-word)))))

;; ---- atomics --------------------------------------------------------------------------------------

(define (atomic-operation name)
  (cond ((name-begins-with? name "aadd") +)
        ((name-begins-with? name "aand") bitwise-and)
        ((name-begins-with? name "aor") bitwise-ior)
        ((name-begins-with? name "axor") bitwise-xor)
        ((name-begins-with? name "aswap") (lambda (old new) new))
        (else #f)))

;; What an access does: misaligned before refused, read before write.
(define (aligned-or-trap address length reads? writes? after)
  (cond ((not (= 0 (modulo address length))) (list (trap 'misaligned address)))
        ((and reads? (first-refused address length #\r)) => (lambda (refused) (list (trap 'read refused))))
        ((and writes? (first-refused address length #\w)) => (lambda (refused) (list (trap 'write refused))))
        (else (after))))

(define (atomic-addresses length)
  (distinct
   (append (access-addresses length)
           (list #x20008 #x20010 #x2fff8 #x9fff8 #x60001 #x70003 (- address-space-size 8) #x4fff8 #x5fff8 #x100000008))))

(define (write-atomic-load-cases name)
  (let ((length (access-length name)))
    (define (one address destination)
      (write-scenario name (list destination 2) (list (register 2 address))
                      (aligned-or-trap address length #t #f
                                       (lambda ()
                                         (list (register destination (memory-word '() address length)))))))
    (for-each (lambda (address) (one address 1)) (atomic-addresses length))
    (one #x20010 0)
    (one #x60010 0)
    (one #x20010 2)
    (one #x20010 #x11170)))

(define (write-atomic-store-cases name)
  (let ((length (access-length name)))
    (define (one address value)
      (write-scenario name '(1 2) (list (register 1 address) (register 2 value))
                      (aligned-or-trap address length #f #t
                                       (lambda () (memory (word->bytes address length value))))))
    (for-each (lambda (address) (one address (take-turn word-edges))) (atomic-addresses length))
    (write-scenario name '(1 1) (list (register 1 #x20010))
                    (memory (word->bytes #x20010 length #x20010)))))

(define (write-atomic-update-cases name)
  (let ((length (access-length name)) (operation (atomic-operation name)))
    (define (expected address old operand destination)
      (aligned-or-trap address length #t #t
                       (lambda ()
                         (cons (register destination old)
                               (memory (word->bytes address length (u64 (operation old operand))))))))
    (define (one address operand)
      (write-scenario name '(1 2 3) (list (register 2 address) (register 3 operand))
                      (expected address (memory-word '() address length) operand 1)))
    (define (with-memory old operand)
      (let ((old (unsigned (* 8 length) old)))
        (write-scenario name '(1 2 3)
                        (append (list (register 2 #x20010) (register 3 operand))
                                (memory (word->bytes #x20010 length old)))
                        (expected #x20010 old operand 1))))
    (for-each (lambda (address) (one address (take-turn word-edges))) (atomic-addresses length))
    (for-each (lambda (old)
                (for-each (lambda (operand) (with-memory old operand))
                          '(0 1 #xffffffffffffffff #x8000000080008080 #x0123456789abcdef)))
              '(0 1 #x7fffffffffffffff #xffffffffffffffff #x8080808080808080))
    ;; one register in several parts
    (let ((old (memory-word '() #x20010 length)))
      (write-scenario name '(2 2 3) (list (register 2 #x20010) (register 3 1)) (expected #x20010 old 1 2))
      (write-scenario name '(3 2 3) (list (register 2 #x20010) (register 3 1)) (expected #x20010 old 1 3))
      (write-scenario name '(1 2 2) (list (register 2 #x20010)) (expected #x20010 old #x20010 1))
      (write-scenario name '(0 2 3) (list (register 2 #x20010) (register 3 1)) (expected #x20010 old 1 0))
      (write-scenario name '(1 2 0) (list (register 2 #x20010)) (expected #x20010 old 0 1)))))

(define (write-compare-and-swap-cases name)
  (let* ((length (access-length name)) (bits (* 8 length)))
    (define (expected address old compare new destination)
      (aligned-or-trap address length #t #t
                       (lambda ()
                         (cons (register destination old)
                               (if (= old (unsigned bits compare))
                                   (memory (word->bytes address length new))
                                   '())))))
    (define (one address compare new)
      (write-scenario name '(1 2 3) (list (register 1 compare) (register 2 address) (register 3 new))
                      (expected address (memory-word '() address length) compare new 1)))
    (for-each
     (lambda (address)
       (let ((old (memory-word '() address (min length (- address-space-size address)))))
         ;; equal, with noise above the compared bits
         (one address (u64 (+ old (if (= bits 64) 0 (* #x5a (expt 2 bits))))) (take-turn word-edges))))
     (atomic-addresses length))
    (for-each
     (lambda (address)
       (one address (u64 (+ 1 (memory-word '() address length))) #x1122334455667788))
     '(#x20008 #x20010 #x2fff8 #xfffffff8 #x100000000))
    (let ((old (memory-word '() #x20010 length)))
      (write-scenario name '(0 2 3) (list (register 2 #x20010) (register 3 7))
                      (expected #x20010 old 0 7 0))
      (write-scenario name '(1 2 1) (list (register 1 old) (register 2 #x20010))
                      (expected #x20010 old old old 1))
      (write-scenario name '(1 2 0) (list (register 1 old) (register 2 #x20010))
                      (expected #x20010 old old 0 1)))
    (write-scenario name '(2 2 3) (append (list (register 2 #x20010) (register 3 7))
                                          (memory (word->bytes #x20010 length #x20010)))
                    (expected #x20010 (unsigned bits #x20010) #x20010 7 2))
    (write-scenario name '(0 2 3) (append (list (register 2 #x20010) (register 3 7))
                                          (memory (word->bytes #x20010 length 0)))
                    (expected #x20010 0 0 7 0))))

(define (write-atomic-cases name)
  (cond ((eq? name 'fence) (write-scenario name '() '() '()))
        ((name-begins-with? name "ald") (write-atomic-load-cases name))
        ((name-begins-with? name "ast") (write-atomic-store-cases name))
        ((name-begins-with? name "acas") (write-compare-and-swap-cases name))
        (else (write-atomic-update-cases name))))

;; ---- blocks ---------------------------------------------------------------------------------------

(define (bytes-of address length)
  (let loop ((n (- length 1)) (result '()))
    (if (< n 0) result (loop (- n 1) (cons (background-byte (+ address n)) result)))))
(define (bytes-at address bytes)
  (let loop ((address address) (bytes bytes) (result '()))
    (if (null? bytes) (reverse result)
        (loop (+ address 1) (cdr bytes) (cons (cons address (car bytes)) result)))))

(define (block-trap to from length)
  (cond ((and from (first-refused from length #\r)) => (lambda (refused) (list (trap 'read refused))))
        ((first-refused to length #\w) => (lambda (refused) (list (trap 'write refused))))
        (else #f)))

(define block-places
  '((#x20000 #x20100) (#x20100 #x20000) (#x20000 #x20001) (#x20001 #x20000) (#x20000 #x20000)
    (#x2fffd #x20000) (#x20000 #x2fff9) (#x2ffff #x2fff7) (#x2fff7 #x2ffff) (#x9fff0 #x20003)
    (#x100000000 #xfffffff8) (#xfffffffc #x20000) (#x123456780000 #xfffffffe) (#x20000 #x123456780007)
    (#x40000 #x20000) (#x20000 #x40000) (#x20000 #x50000) (#x50000 #x20000) (#x60000 #x20000) (#x20000 #x60000)
    (#x70000 #x20000) (#x20000 #x70000) (#x3fffe #x20000) (#x20000 #x3fffe) (#x3ffff #x4fffe) (#x50000 #x4fffb)
    (#x20000 #x9ffff) (#x9ffff #x20000) (#x7ffff #x20000) (#x20000 #x7ffff) (#xb0000 #x10010) (#x10010 #x20000)
    (#xfffffffffffffff0 #x20000) (#x20000 #xfffffffffffffff0) (#xffffffffffffffff #x20000) (#x20000 #xffffffffffffffff)
    (#x12345678fff9 #x20000) (#x0 #x20000) (#x8000000000000000 #x20000) (#x20000 #x8000000000000000)))
(define block-lengths '(0 1 2 7 8 9 15 16 17 33 64 100))
(define huge-lengths '(#x10000 #x20001 #x100000000 #x8000000000000000 #xfffffffffffdffff #xffffffffffffffff))

(define (write-block-copy name to from length)
  (write-scenario name '(1 2 3) (list (register 1 to) (register 2 from) (register 3 length))
                  (or (block-trap to from length)
                      (memory (bytes-at to (bytes-of from length))))))
(define (write-block-fill name to value length)
  (write-scenario name '(1 2 3) (list (register 1 to) (register 2 value) (register 3 length))
                  (or (block-trap to #f length)
                      (memory (bytes-at to (map (lambda (n) (u8 value)) (iota length)))))))

(define (write-block-cases name)
  (for-each
   (lambda (place)
     (for-each
      (lambda (length)
        (if (eq? name 'bcopy)
            (write-block-copy name (car place) (cadr place) length)
            (write-block-fill name (car place) (u64 (+ (cadr place) (take-turn word-edges))) length)))
      block-lengths))
   block-places)
  ;; lengths that no mapped range has
  (for-each
   (lambda (length)
     (for-each
      (lambda (place)
        (if (eq? name 'bcopy)
            (if (block-trap (car place) (cadr place) length) (write-block-copy name (car place) (cadr place) length))
            (if (block-trap (car place) #f length) (write-block-fill name (car place) 1 length))))
      '((#x20000 #x20100) (#x80000 #x20100) (#x20100 #x80000) (#x100000000 #x100000008) (#x1 #x2)
        (#x123456780000 #x123456780001))))
   huge-lengths)
  (if (eq? name 'bcopy)
      (begin
        (write-scenario name '(1 1 2) (list (register 1 #x20000) (register 2 9)) '())
        (write-scenario name '(1 2 0) (list (register 1 #x70000) (register 2 #x60000)) '())
        (write-scenario name '(0 2 3) (list (register 2 #x20000) (register 3 3)) (memory (bytes-at 0 (bytes-of #x20000 3)))))
      (begin
        (write-scenario name '(1 0 2) (list (register 1 #x20000) (register 2 3)) (memory (bytes-at #x20000 '(0 0 0))))
        (write-scenario name '(1 2 0) (list (register 1 #x70000) (register 2 1)) '())
        (write-scenario name '(0 2 2) (list (register 2 3)) (memory (bytes-at 0 '(3 3 3)))))))

(define (write-memory-cases name)
  (cond ((memq name '(bcopy bfill)) (write-block-cases name))
        ((name-begins-with? name "ld") (write-load-cases name))
        (else (write-store-cases name))))
