#include "kernels/launch.cuh"
#include "kernels/optimizer/newton_schulz_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <ProductForm form>
__global__ void __launch_bounds__(kProductThreads, 2) scaled_product_kernel(ScaledProductTask task) {
    DeviceThread t;
    scaled_product<form>(t, task);
}

}  // namespace

void scaled_product(const ScaledProductTask& task, ProductForm form, cudaStream_t stream) {
    require_valid(task, form);
    if (task.matrices == 0 || task.rows == 0 || task.columns == 0) return;
    const auto kernel = form == ProductForm::symmetric      ? scaled_product_kernel<ProductForm::symmetric>
                        : form == ProductForm::rows_by_rows ? scaled_product_kernel<ProductForm::rows_by_rows>
                                                            : scaled_product_kernel<ProductForm::rows_by_columns>;
    launch("scaled_product", kernel, grid_of(task, form), stream, task);
}

void newton_schulz(const NewtonSchulzTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.matrices == 0 || task.rows == 0) return;
    for (const NewtonSchulzProduct& product : products_of(task)) scaled_product(product.task, product.form, stream);
}

}  // namespace strata
