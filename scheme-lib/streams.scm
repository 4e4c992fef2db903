;; A stream is what a program reads bytes from or writes bytes to when Scheme serves it: a port, or one of
;; the current ports, whichever these are when the program uses it. A program knows only bytes; some ports
;; know only characters, and on those text passes as UTF-8. It may also be a procedure: one to be read from gets a
;; number and gives up to so many bytes, none at the end; one to be written to gets text, whole characters of it.
;;
;;   (define stream (make-stream (open-input-string "abc")))
;;   (stream-read! stream 2)  => #u8(97 98)

(module scheme-lib/streams)
(use scheme-lib/util)
(declare (block))

;; target: a port, a procedure, or one of the symbols input, output, error for the current port of that kind
;; pending: bytes that were taken from the port but not yet from the stream, or that were written but are
;; not yet a whole character
(define-type stream
  constructor: construct
  target pending)

(define (make-stream target)
  (construct target (u8vector)))

(define (port-of stream)
  (case (stream-target stream)
    ((input) (current-input-port))
    ((output) (current-output-port))
    ((error) (current-error-port))
    (else (stream-target stream))))

;; Whether `use` of the port with no bytes at all works: a port of characters refuses.
(define (takes-bytes? use port)
  (with-exception-catcher (lambda (exception) #f) (lambda () (use (u8vector) 0 0 port) #t)))

;; ---- reading ---------------------------------------------------------------------------------------

;; The console is read by characters, because the prompt has read some of its bytes ahead as such.
(define (read-line-bytes port)
  (let ((line (read-line port #\newline #t)))
    (if (eof-object? line) (u8vector) (string->utf8 line))))

(define (read-some port length)
  (cond ((procedure? port) (port length))
        ((and (not (eq? port (console-port))) (takes-bytes? read-subu8vector port))
         (let* ((bytes (make-u8vector length))
                (n (read-subu8vector bytes 0 length port 1)))
           (subu8vector bytes 0 n)))
        (else (read-line-bytes port))))

;; At least one byte and at most `length`, as a u8vector; empty at the end of input.
(define (stream-read! stream length)
  (let* ((pending (stream-pending stream))
         (bytes (if (= 0 (u8vector-length pending)) (read-some (port-of stream) length) pending))
         (n (min length (u8vector-length bytes))))
    (stream-pending-set! stream (subu8vector bytes n (u8vector-length bytes)))
    (subu8vector bytes 0 n)))

;; ---- writing ---------------------------------------------------------------------------------------

;; How many bytes at the end begin a character that is not yet whole.
(define (unfinished bytes)
  (let ((n (u8vector-length bytes)))
    (let loop ((back 1))
      (if (or (> back 3) (> back n))
          0
          (let ((byte (u8vector-ref bytes (- n back))))
            (cond ((< byte #x80) 0)
                  ((< byte #xC0) (loop (+ back 1)))
                  ((< byte #xE0) (if (< back 2) back 0))
                  ((< byte #xF0) (if (< back 3) back 0))
                  (else back)))))))

(define (write-text-bytes! stream bytes port)
  (let* ((all (u8vector-append (stream-pending stream) bytes))
         (whole (- (u8vector-length all) (unfinished all))))
    (stream-pending-set! stream (subu8vector all whole (u8vector-length all)))
    (let ((text (utf8->string (subu8vector all 0 whole))))
      (if (procedure? port) (port text) (display text port)))))

;; Where the ASCII characters begin with which the bytes end.
(define (ascii-end bytes)
  (let loop ((i (u8vector-length bytes)))
    (if (and (> i 0) (< (u8vector-ref bytes (- i 1)) 128)) (loop (- i 1)) i)))

;; Writes all bytes and sends them on at once. Plain text goes by characters even where the port takes
;; bytes, and so does plain text behind other bytes, so that the port knows its column.
(define (stream-write! stream bytes)
  (let ((port (port-of stream)))
    (if (procedure? port) (write-text-bytes! stream bytes port) (write-to-port! stream bytes port))))

(define (write-to-port! stream bytes port)
  (let ((plain (ascii-end bytes)))
    (if (and (> plain 0) (takes-bytes? write-subu8vector port))
        (begin
          (force-output port)
          (write-subu8vector bytes 0 plain port)
          (write-text-bytes! stream (subu8vector bytes plain (u8vector-length bytes)) port))
        (write-text-bytes! stream bytes port))
    (force-output port)))
