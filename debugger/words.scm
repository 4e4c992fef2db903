;; Splits a command line into words.
;;
;; A word ends at a blank or a comma. A string "…", a character 'c', a Scheme form (…) and an address […]
;; are one word each, blanks included. `;` begins a comment.
;;
;;   (words "break (+ main 4) ; here")  => ("break" "(+ main 4)")

(module debugger/words)
(use scheme-lib/util)

(define (separator? c) (or (char-whitespace? c) (char=? c #\,)))
(define (opening? c) (memv c '(#\( #\[)))
(define (closing? c) (memv c '(#\) #\])))

;; The index behind the string that begins at i, or #f when it does not end.
(define (skip-string text i)
  (let loop ((i (+ i 1)))
    (cond ((>= i (string-length text)) #f)
          ((char=? (string-ref text i) #\") (+ i 1))
          ((char=? (string-ref text i) #\\) (loop (+ i 2)))
          (else (loop (+ i 1))))))

;; 'c' and '\n' are characters; elsewhere ' is part of a word, as in '(1 2).
(define (skip-character text i)
  (let* ((escaped? (and (< (+ i 1) (string-length text)) (char=? (string-ref text (+ i 1)) #\\)))
         (close (+ i (if escaped? 3 2))))
    (if (and (< close (string-length text)) (char=? (string-ref text close) #\')) (+ close 1) (+ i 1))))

;; The index behind the form that begins at i, or #f when it does not end. Both kinds of bracket count
;; alike; the reader tells them apart.
(define (skip-form text i)
  (let loop ((i i) (depth 0))
    (if (>= i (string-length text))
        #f
        (let ((c (string-ref text i)))
          (cond ((opening? c) (loop (+ i 1) (+ depth 1)))
                ((closing? c) (if (= depth 1) (+ i 1) (loop (+ i 1) (- depth 1))))
                ((char=? c #\") (let ((end (skip-string text i))) (and end (loop end depth))))
                ((char=? c #\;)
                 (let ((newline (string-index text #\newline i))) (and newline (loop newline depth))))
                ((and (char=? c #\#) (< (+ i 2) (string-length text)) (char=? (string-ref text (+ i 1)) #\\))
                 (loop (+ i 3) depth))
                (else (loop (+ i 1) depth)))))))

;; The index behind the word that begins at i, or #f when it does not end.
(define (skip-word text i)
  (let loop ((i i))
    (if (>= i (string-length text))
        i
        (let ((c (string-ref text i)))
          (cond ((or (separator? c) (char=? c #\;)) i)
                ((char=? c #\") (let ((end (skip-string text i))) (and end (loop end))))
                ((opening? c) (let ((end (skip-form text i))) (and end (loop end))))
                ((char=? c #\') (loop (skip-character text i)))
                (else (loop (+ i 1))))))))

(define (skip-separators text i)
  (let ((end (string-length text)))
    (let loop ((i i))
      (cond ((>= i end) end)
            ((separator? (string-ref text i)) (loop (+ i 1)))
            ((char=? (string-ref text i) #\;)
             (let ((newline (string-index text #\newline i))) (if newline (loop newline) end)))
            (else i)))))

;; Calls (found start end) for each word; #f when the last one does not end.
(define (for-each-word found text)
  (let loop ((i (skip-separators text 0)))
    (or (>= i (string-length text))
        (let ((end (skip-word text i)))
          (and end
               (begin
                 (found i end)
                 (loop (skip-separators text end))))))))

;; The words of a line; one that does not end goes to the end of the line.
(define (words text)
  (let ((found '()) (last 0))
    (let ((complete? (for-each-word
                      (lambda (start end)
                        (set! found (cons (substring text start end) found))
                        (set! last end))
                      text)))
      (reverse (if complete?
                   found
                   (cons (string-trim (substring text last (string-length text))) found))))))

;; #f when a string, a form or an address goes on in the next line.
(define (words-complete? text) (for-each-word (lambda (start end) #f) text))

;; For completion: the index where the word before `point` begins. Inside a form or string that is the
;; symbol or the text behind the last delimiter.
(define (word-before text point)
  (let loop ((i point))
    (if (or (= i 0)
            (separator? (string-ref text (- i 1)))
            (memv (string-ref text (- i 1)) '(#\( #\[ #\" #\')))
        i
        (loop (- i 1)))))
