;; Modules in WebAssembly's text format become binary ones by `wat2wasm` of wabt, where that is installed. Names in the
;; text become the names of functions.
;;
;;   (wasm-text->bytes (string->utf8 "(module (func (export \"_start\")))") "empty.wat")
(module scheme-lib/loaders/wasm/text-format)
(use scheme-lib/util)
(use scheme-lib/loaders/loader)
(declare (block))

;; ---- recognising -------------------------------------------------------------------------------------

;; Where what is neither space nor comment begins.
(define (skip-space text at)
  (let ((end (string-length text)))
    (define (behind what from)
      (let ((found (string-contains (substring text from end) what))) (if found (+ from found (string-length what)) end)))
    (let loop ((at at))
      (cond ((>= at end) end)
            ((char-whitespace? (string-ref text at)) (loop (+ at 1)))
            ((string-prefix? ";;" (substring text at (min end (+ at 2)))) (loop (behind "\n" at)))
            ((string-prefix? "(;" (substring text at (min end (+ at 2)))) (loop (behind ";)" at)))
            (else at)))))

(define (word-at? text at word)
  (let ((end (+ at (string-length word)))) (and (<= end (string-length text)) (string=? word (substring text at end)))))

(define opening "(module")
(define looked-at 4096)

(define (text-of bytes)
  (with-exception-catcher (lambda (e) "") (lambda () (utf8->string bytes))))

;; Whether bytes are text that begins as a module does: (module, and behind it a part, a $name or the end.
(define (wasm-text? bytes)
  (and (> (u8vector-length bytes) 0)
       (let* ((text (text-of (subu8vector bytes 0 (min looked-at (u8vector-length bytes))))) (at (skip-space text 0)))
         (and (word-at? text at opening)
              (let ((next (skip-space text (+ at (string-length opening)))))
                (and (< next (string-length text)) (memv (string-ref text next) '(#\( #\) #\$)) #t))))))

;; ---- assembling --------------------------------------------------------------------------------------

(define assembler "wat2wasm")

(define (not-there path)
  (fail-at path 0 0 "modules in text are assembled by " assembler ", which is not there; Debian's package wabt has it"))

;; Status and output of the assembler. Both of its outputs are one; it says nothing when it succeeds.
(define (run-assembler bytes path)
  (let ((port (with-exception-catcher
               (lambda (e) (not-there path))
               (lambda ()
                 (open-process (list path: assembler arguments: '("--debug-names" "-" "--output=-")
                                     stdout-redirection: #t stderr-redirection: #t))))))
    (define (whether-it-reads-or-not thunk)       ; it may end before it read all
      (with-exception-catcher (lambda (e) #f) thunk))
    (whether-it-reads-or-not (lambda () (write-subu8vector bytes 0 (u8vector-length bytes) port)))
    (whether-it-reads-or-not (lambda () (close-output-port port)))
    (let loop ((parts '()))
      (let* ((buffer (make-u8vector 65536)) (count (read-subu8vector buffer 0 65536 port)))
        (if (> count 0)
            (loop (cons (subu8vector buffer 0 count) parts))
            (let ((status (process-status port)))
              (whether-it-reads-or-not (lambda () (close-port port)))
              (cons status (u8vector-concatenate (reverse parts)))))))))

;; "-:3:7: error: why" as what it says, with its place.
(define (fail-with path status message)
  (let* ((first (car (string-split message #\newline))) (parts (string-split first #\:)))
    (if (and (>= (length parts) 5) (string=? (car parts) "-"))
        (fail-at path (or (string->number (cadr parts)) 0) (or (string->number (caddr parts)) 0)
                 (string-trim (string-join (cddddr parts) ":")))
        (fail-at path 0 0 assembler " failed with status " (quotient status 256)
                 (if (string=? first "") "" (text ": " first))))))

(define-documented (wasm-text->bytes bytes path)
  "The binary module of one in text. PATH is the file that it comes from, or #f."
  (let ((result (run-assembler bytes path)))
    (if (= 0 (car result)) (cdr result) (fail-with path (car result) (text-of (cdr result))))))
