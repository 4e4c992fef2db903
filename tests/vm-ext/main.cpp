// The entry of the Boost.Test program; the suites are the other files of this folder.
#define BOOST_TEST_MODULE comet_vm
#include <boost/test/included/unit_test.hpp>
