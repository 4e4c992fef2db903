;; Motorola S-records. A record is a line  ST LL AA…AA DD…DD SS: the letter S and a digit, then hexadecimal
;; bytes: how many follow, an address, data, and a sum that makes all of them 255 modulo 256.
;;
;;   S0          a name, which nobody needs
;;   S1 S2 S3    data at an address of 2, 3, 4 bytes
;;   S5 S6       how many of these there were, 2 or 3 bytes
;;   S9 S8 S7    the end, and where the program begins, 2, 3, 4 bytes

(module scheme-lib/loaders/s-records)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/records)
(declare (standard-bindings) (extended-bindings) (block))

(define letter-s 83)

(define (digit byte) (and (<= 48 byte 57) (- byte 48)))

;; Type, length, the shortest address and the sum.
(define (s-records? bytes path) (begins-with-record? bytes letter-s 9))

;; By type, bytes of an address; #f: there is no such type.
(define address-lengths '#(2 2 3 4 #f 2 3 4 3 2))

(define (read-s-records bytes path)
  (let ((contents (make-contents path)) (entry #f) (ended #f) (seen 0))
    (record-lines bytes
      (lambda (line start end)
        (if ended (fail-at path line 1 "the record in line " ended " was to be the last"))
        (if (not (= letter-s (u8vector-ref bytes start))) (fail-at path line 1 "a record begins with `S`"))
        (let* ((type (and (< (+ start 1) end) (digit (u8vector-ref bytes (+ start 1)))))
               (address-length (and type (vector-ref address-lengths type))))
          (if (not address-length) (fail-at path line 2 "behind `S` stands the type, 0 to 9 but not 4"))
          (let* ((record (hex-bytes bytes (+ start 2) end path line start)) (length (u8vector-length record)))
            (if (< length (+ 2 address-length))
                (fail-at path line (+ 1 (- end start)) "the record ends too early: it has " length " of at least "
                         (+ 2 address-length) " bytes"))
            (if (not (= length (+ 1 (u8vector-ref record 0))))
                (fail-at path line 3 "the record says that " (u8vector-ref record 0) " bytes follow, but there are "
                         (- length 1)))
            (let ((expected (- 255 (check-sum record 1))) (found (u8vector-ref record (- length 1))))
              (if (not (= expected found))
                  (fail-at path line (- end start 1) "the sum is " (hex found 2) ", but that of the record's bytes is "
                           (hex expected 2))))
            (let ((address (big-endian record 1 address-length))
                  (data (subu8vector record (+ 1 address-length) (- length 1))))
              (case type
                ((0) #t)
                ((1 2 3) (set! seen (+ seen 1)) (contents-add! contents address line data))
                ((5 6)
                 (if (not (= address seen))
                     (fail-at path line 5 "there should be " address
                              " records of data before this one, but there are " seen)))
                (else (set! ended line) (set! entry address))))))))
    (if (not ended) (fail-at path 0 0 "the record that ends the file, S7, S8 or S9, is not there"))
    (contents->image contents (and (> entry 0) entry))))

(define-loader s-records "Motorola S-records: memory contents as lines of hexadecimal bytes"
  recognises: s-records?
  load: read-s-records)

;; ---- writing -----------------------------------------------------------------------------------------------

(define (four-bytes value)
  (u8vector (bitwise-and 255 (arithmetic-shift value -24)) (bitwise-and 255 (arithmetic-shift value -16))
            (bitwise-and 255 (arithmetic-shift value -8)) (bitwise-and 255 value)))

(define (record type address data)
  (let ((bytes (u8vector-concatenate (list (u8vector (+ 5 (u8vector-length data))) (four-bytes address) data '#u8(0)))))
    (u8vector-set! bytes (- (u8vector-length bytes) 1) (- 255 (check-sum bytes 1)))
    (text "S" type (string-upcase (u8vector->hex bytes)) "\n")))

(define-documented (image->s-records image)
  "What an image puts into memory and where it begins, as the text of a file of S-records (S3, S7). Names, source
lines, imports and protections are not in it. Addresses end at 2^32."
  (string-join
   (append (list "S0030000FC\n")
           (map (lambda (piece) (record 3 (car piece) (cdr piece))) (image-runs image 16 (expt 2 32)))
           (list (record 7 (image-entry image) '#u8())))
   ""))
