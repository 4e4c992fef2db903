(##namespace ("debugger/dap/listing#" listing-source listing-line listing-address))
