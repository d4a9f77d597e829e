#include <iostream>

#include "kernels/bench/catalog.hpp"

int main() {
    for (const strata::Kernel& kernel : strata::every_kernel()) std::cout << kernel.name << "  " << kernel.what << '\n';
}
