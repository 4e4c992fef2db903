;; Programs of the Simple VM, and their files:
;;
;;   0   "EPIE", zeros up to 64
;;   64  the length of the read-only data, 4 bytes, little-endian
;;   68  the read-only data, then the code, which begins where they end
;;
;; An address of code counts from the beginning of the file.

(module scheme-lib/loaders/simple-vm/program)
(use scheme-lib/util)
(use scheme-lib/loaders/loader)
(declare (block))

(define-type program
  data      ; a u8vector
  code      ; a u8vector, four bytes an instruction
  symbols   ; (name section . value): section is code or data, value an address or an offset in the data
  lines)    ; (address file line column) …, ascending

(define header-length 68)

(define (program-entry program) (+ header-length (u8vector-length (program-data program))))
(define (program-instructions program) (quotient (u8vector-length (program-code program)) 4))

(define magic '#u8(69 80 73 69)) ; EPIE

(define (simple-vm-bytes? bytes path)
  (and (>= (u8vector-length bytes) 4) (equal? (subu8vector bytes 0 4) magic)))

;; Each instruction has its address for a line, of a file that is called pc: so whoever shows places tells it.
(define (bytes->program bytes path)
  (let ((length (u8vector-length bytes)))
    (if (< length header-length)
        (fail-at path 0 0 "the file ends within the header: it has " length " of " header-length " bytes"))
    (let* ((data-length (u8vector-ref-le bytes 64 4)) (entry (+ header-length data-length)))
      (if (> entry length)
          (fail-at path 0 0 "byte 64 says that there are " data-length " bytes of read-only data, but there are "
                   (- length header-length)))
      (if (not (= 0 (modulo (- length entry) 4)))
          (fail-at path 0 0 "an instruction has 4 bytes, the last one, at byte " (* 4 (quotient length 4)) ", has "
                   (modulo (- length entry) 4)))
      (make-program (subu8vector bytes header-length entry)
                    (subu8vector bytes entry length)
                    '()
                    (map (lambda (n) (list (+ entry (* 4 n)) "pc" (+ entry (* 4 n)) 0))
                         (iota (quotient (- length entry) 4)))))))

(define (program->bytes program)
  (let ((header (make-u8vector header-length 0)))
    (subu8vector-move! magic 0 4 header 0)
    (u8vector-set-le! header 64 4 (u8vector-length (program-data program)))
    (u8vector-concatenate (list header (program-data program) (program-code program)))))
