;; Messages on a port of bytes, as the Debug Adapter Protocol frames them: a header of lines, an empty line, and
;; as many bytes as the header says.
;;
;;   Content-Length: 119\r\n\r\n{"seq":1,"type":"request", …}
;;
;; What comes in may be anything: lines and lengths are bounded.

(module debugger/dap/transport)
(use scheme-lib/util)

;; Bytes of the longest message that is taken.
(define frame-limit (make-parameter 8388608))

(define header-limit 1000)
(define lines-limit 20)

;; A line without its end; #f where the input ends before it.
(define (read-header-line port)
  (let loop ((bytes '()) (length 0))
    (let ((byte (read-u8 port)))
      (cond ((eof-object? byte) #f)
            ((= byte 10) (utf8->string (list->u8vector (reverse bytes))))
            ((= byte 13) (loop bytes length))
            ((= length header-limit)
             (error (text "a line of a message's header is longer than " header-limit " bytes")))
            (else (loop (cons byte bytes) (+ length 1)))))))

(define (length-of line)
  (let ((colon (string-index line #\:)))
    (and colon
         (string=? (string-downcase (string-trim (substring line 0 colon))) "content-length")
         (let* ((digits (string-trim (substring line (+ colon 1) (string-length line))))
                (number (string->number digits 10)))
           (if (not (and (every char-numeric? (string->list digits)) number))
               (error "Content-Length is no number:" digits))
           (if (> number (frame-limit))
               (error (text "a message of " digits " bytes; the longest that is taken has " (frame-limit))))
           number))))

;; The number of bytes that follow the header, or #f at the end of the input.
(define (read-header port)
  (let loop ((length #f) (left lines-limit))
    (let ((line (read-header-line port)))
      (cond ((not line) #f)
            ((= left 0) (error (text "a message's header has more than " lines-limit " lines")))
            ((not (string=? line "")) (loop (or (length-of line) length) (- left 1)))
            (length length)
            (else (error "a message's header lacks Content-Length"))))))

;; The bytes of the next message; #f at the end of the input. Behind an error nobody can tell where the next
;; message begins.
(define (read-frame port)
  (let ((length (read-header port)))
    (and length
         (let ((bytes (make-u8vector length)))
           (and (= length (read-subu8vector bytes 0 length port)) bytes)))))

(define (write-frame! source port)
  (let* ((content (string->utf8 source))
         (header (string->utf8 (text "Content-Length: " (u8vector-length content) "\r\n\r\n")))
         (frame (u8vector-append header content)))
    (write-subu8vector frame 0 (u8vector-length frame) port)
    (force-output port)))
