;; Intel HEX. A record is a line  :LLAAAATT DD…DD SS  of hexadecimal bytes: how many bytes of data, address, type,
;; data, and a sum that makes all of them 0 modulo 256.
;;
;;   type  what
;;   00    data at the address, on top of the base
;;   01    the end; nothing follows
;;   02    the base is 16 times these two bytes    03  the program begins at CS:IP, two bytes each
;;   04    the base is 65536 times these two bytes  05  the program begins at these four bytes

(module scheme-lib/loaders/intel-hex)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/records)
(declare (standard-bindings) (extended-bindings) (block))

(define colon 58)

(define (intel-hex? bytes path) (begins-with-record? bytes colon 2))

;; The lengths that records of a type have; #f: any.
(define lengths '#(#f 0 2 4 2 4))

(define (read-intel-hex bytes path)
  (let ((contents (make-contents path)) (base 0) (segmented? #f) (entry #f) (ended #f))
    (define (take-data address line data)
      (let ((room (- 65536 address)))
        ;; Within a segment, addresses go round at its end.
        (if (and segmented? (> (u8vector-length data) room))
            (begin
              (contents-add! contents (+ base address) line (subu8vector data 0 room))
              (contents-add! contents base line (subu8vector data room (u8vector-length data))))
            (contents-add! contents (+ base address) line data))))
    (record-lines bytes
      (lambda (line start end)
        (define (fail column . parts) (apply fail-at path line column parts))
        (if ended (fail-at path line 1 "the record in line " ended " was to be the last"))
        (if (not (= colon (u8vector-ref bytes start))) (fail-at path line 1 "a record begins with `:`"))
        (let* ((record (hex-bytes bytes (+ start 1) end path line start)) (length (u8vector-length record)))
          (if (< length 5)
              (fail-at path line (+ 1 (- end start))
                       "the record ends too early: it has " length " of at least 5 bytes"))
          (let ((count (u8vector-ref record 0)) (type (u8vector-ref record 3)))
            (if (not (= length (+ count 5)))
                (fail-at path line 2 "the record says that it has " count " bytes of data, but it has " (- length 5)))
            (let ((expected (bitwise-and 255 (- (check-sum record 1)))) (found (u8vector-ref record (- length 1))))
              (if (not (= expected found))
                  (fail-at path line (- end start 1) "the sum is " (hex found 2) ", but that of the record's bytes is "
                           (hex expected 2))))
            (if (> type 5) (fail-at path line 8 "there is no record type " (hex type 2) "; they are 00 to 05"))
            (let ((needed (vector-ref lengths type)))
              (if (and needed (not (= needed count)))
                  (fail-at path line 2 "a record of type " (hex type 2) " has " needed " bytes of data, not " count)))
            (let ((data (subu8vector record 4 (+ 4 count))))
              (case type
                ((0) (take-data (big-endian record 1 2) line data))
                ((1) (set! ended line))
                ((2) (set! base (* 16 (big-endian data 0 2))) (set! segmented? #t))
                ((3) (set! entry (+ (* 16 (big-endian data 0 2)) (big-endian data 2 2))))
                ((4) (set! base (* 65536 (big-endian data 0 2))) (set! segmented? #f))
                (else (set! entry (big-endian data 0 4)))))))))
    (if (not ended) (fail-at path 0 0 "the record that ends the file, :00000001FF, is not there"))
    (contents->image contents entry)))

(define-loader intel-hex "Intel HEX: memory contents as lines of hexadecimal bytes"
  recognises: intel-hex?
  load: read-intel-hex)

;; ---- writing -----------------------------------------------------------------------------------------------

(define (record address type data)
  (let* ((head (u8vector (u8vector-length data) (quotient address 256) (modulo address 256) type))
         (bytes (u8vector-concatenate (list head data '#u8(0)))))
    (u8vector-set! bytes (- (u8vector-length bytes) 1) (bitwise-and 255 (- (check-sum bytes 1))))
    (text ":" (string-upcase (u8vector->hex bytes)) "\n")))

(define (two-bytes value) (u8vector (quotient value 256) (modulo value 256)))

;; A record does not go over the end of 64 KiB, behind which the base is another.
(define (pieces-within-64k pieces)
  (append-map
   (lambda (piece)
     (let* ((address (car piece)) (bytes (cdr piece)) (room (- 65536 (modulo address 65536))))
       (if (<= (u8vector-length bytes) room)
           (list piece)
           (list (cons address (subu8vector bytes 0 room))
                 (cons (+ address room) (subu8vector bytes room (u8vector-length bytes)))))))
   pieces))

(define-documented (image->intel-hex image)
  "What an image puts into memory and where it begins, as the text of an Intel HEX file. Names, source lines, imports
and protections are not in it. Addresses end at 2^32."
  (let loop ((pieces (pieces-within-64k (image-runs image 16 (expt 2 32)))) (base 0) (records '()))
    (if (null? pieces)
        (string-join (reverse (cons* (record 0 1 '#u8())
                                     (record 0 5 (let ((entry (image-entry image)))
                                                   (u8vector-concatenate (list (two-bytes (quotient entry 65536))
                                                                               (two-bytes (modulo entry 65536))))))
                                     records))
                     "")
        (let ((high (quotient (caar pieces) 65536)))
          (if (= high base)
              (loop (cdr pieces) base (cons (record (modulo (caar pieces) 65536) 0 (cdar pieces)) records))
              (loop pieces high (cons (record 0 4 (two-bytes high)) records)))))))
