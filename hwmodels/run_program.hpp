// Another program, run to its end. No shell reads the words: they arrive as they are.
#pragma once

#include <string>
#include <vector>

namespace strata {

struct FinishedProgram {
    int code = 0;        // its exit code; 128 and more: it was ended by signal code - 128; 127: it cannot be started
    std::string said{};  // what was kept of it; of one that cannot be started: why
};

enum class Kept { nothing, output, output_and_errors };  // what is not kept goes where ours goes

// The first word is a path, or a name that PATH finds.
FinishedProgram run_program(const std::vector<std::string>& words, Kept kept = Kept::nothing);

}  // namespace strata
