_start: jump    end
        (if (odd? (pass)) (list nop nop) (list nop))
end:    halt
