;; Drawings: charts, flame graphs, heat maps.
;;
;; An element is (name ((attribute value) …) child …); a child is an element or a text. Attribute values are
;; symbols, strings or numbers.
;;
;;   (write-svg "chart.svg" 200 100
;;     '((rect ((x 10) (y 10) (width 50.5) (height 20) (fill "#48c")) (title () "what the mouse sees"))
;;       (text ((x 10) (y 50)) "a < b")))

(module scheme-lib/svg)
(use scheme-lib/util)

(define (escaped string)
  (string-replace (string-replace (string-replace (string-replace string "&" "&amp;") "<" "&lt;") ">" "&gt;")
                  "\"" "&quot;"))

;; Two digits behind the point are a hundredth of a pixel.
(define (number->text number)
  (let* ((hundredths (inexact->exact (round (* 100 (abs number)))))
         (whole (number->string (quotient hundredths 100)))
         (rest (remainder hundredths 100)))
    (text (if (and (negative? number) (not (= hundredths 0))) "-" "") whole
          (if (= rest 0) "" (text "." (string-pad-left (number->string rest) 2 #\0))))))

(define (value->text value)
  (cond ((number? value) (number->text value))
        ((symbol? value) (symbol->string value))
        (else (escaped value))))

(define (write-element element port)
  (if (string? element)
      (display (escaped element) port)
      (let ((name (car element)) (children (cddr element)))
        (display (text "<" name) port)
        (for-each (lambda (attribute)
                    (display (text " " (car attribute) "=\"" (value->text (cadr attribute)) "\"") port))
                  (cadr element))
        (if (null? children)
            (display "/>" port)
            (begin
              (display ">" port)
              (for-each (lambda (child) (write-element child port)) children)
              (display (text "</" name ">") port))))))

(define-documented (write-svg path width height elements)
  "Writes a drawing of so many pixels, on white, to a file. An element is (name ((attribute value) …) child …)."
  (call-with-output-file (list path: path char-encoding: 'UTF-8)
    (lambda (port)
      (display (text "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" width "\" height=\"" height
                     "\" viewBox=\"0 0 " width " " height
                     "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\""
                     " fill=\"white\"/>\n")
               port)
      (for-each (lambda (element) (write-element element port) (newline port)) elements)
      (display "</svg>\n" port))))
