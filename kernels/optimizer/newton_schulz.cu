#include "kernels/launch.cuh"
#include "kernels/optimizer/large_product_body.hpp"
#include "kernels/optimizer/newton_schulz_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <ProductForm form>
__global__ void __launch_bounds__(ProductPlan::kThreads, ProductPlan::kBlocks)
    scaled_product_kernel(ScaledProductTask task) {
    DeviceThread t;
    scaled_product<form>(t, task);
}

template <ProductForm form>
__global__ void __launch_bounds__(LargeProduct::kThreads, 1)
    large_product_kernel(const __grid_constant__ LargeProductOperands task) {
    DeviceThread t;
    large_product<form>(t, task);
}

template <ProductForm form>
void launch_product(const ScaledProductTask& task, cudaStream_t stream) {
    if (is_large(task))
        launch("large_product", large_product_kernel<form>, large_grid_of(task, form), stream, operands_of(task, form));
    else
        launch("scaled_product", scaled_product_kernel<form>, grid_of(task, form), stream, task);
}

}  // namespace

void scaled_product(const ScaledProductTask& task, ProductForm form, cudaStream_t stream) {
    require_valid(task, form);
    if (task.matrices == 0 || task.rows == 0 || task.columns == 0) return;
    switch (form) {
        case ProductForm::symmetric: return launch_product<ProductForm::symmetric>(task, stream);
        case ProductForm::rows_by_rows: return launch_product<ProductForm::rows_by_rows>(task, stream);
        case ProductForm::rows_by_columns: return launch_product<ProductForm::rows_by_columns>(task, stream);
    }
}

void newton_schulz(const NewtonSchulzTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.matrices == 0 || task.rows == 0) return;
    for (const NewtonSchulzProduct& product : products_of(task)) scaled_product(product.task, product.form, stream);
}

}  // namespace strata
